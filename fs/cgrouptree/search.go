package cgrouptree

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// maxSearch bounds how many names one search or listing looks at.
const maxSearch = 1 << 17

// search finds the path of an inode among what the caller may see: an earlier
// process gave out the key, or the cgroup was renamed.
func (t *Tree) search(h *hierarchy, s scope, ino uint64) (string, error) {
	start := s.path
	if start == "" && !s.all {
		return "", syscall.ENOENT
	}
	for dir := parent(start); dir != ""; dir = parent(dir) {
		n, err := t.at(h, s, dir)
		if err != nil {
			return "", err
		}
		n.close()
		if n.stat.Ino == ino {
			return dir, nil
		}
	}
	return t.searchBelow(h, s, start, ino)
}

func parent(name string) string {
	if d := path.Dir(name); d != "." {
		return d
	}
	return ""
}

// searchBelow looks at start and all below it, breadth first.
func (t *Tree) searchBelow(h *hierarchy, s scope, start string, ino uint64) (string, error) {
	seen := 0
	var done pieces
	for dirs := []string{start}; len(dirs) > 0 && seen < maxSearch; dirs = dirs[1:] {
		depth := strings.Count(dirs[0], "/")
		done.add(1 + depth)
		n, err := t.at(h, s, dirs[0])
		if err != nil {
			continue // removed meanwhile
		}
		if n.stat.Ino == ino {
			n.close()
			return dirs[0], nil
		}
		list, err := readDir(n.fd, maxSearch-seen)
		n.close()
		if err != nil {
			continue
		}
		done.add(len(list) / 8)
		seen += len(list) + depth
		for _, e := range list {
			name := path.Join(dirs[0], e.Name)
			if e.Ino == ino {
				return name, nil
			}
			if isDir(e) {
				dirs = append(dirs, name)
			}
		}
	}
	return "", syscall.ENOENT
}

func isDir(e vfs.Entry) bool { return e.Mode == unix.S_IFDIR }

// maxNames bounds how long the names of one listing are together, bytes.
const maxNames = 16 << 20

// readDir lists the directory that dir, an O_PATH descriptor, stands for; "."
// and ".." are left out, and so is what comes after limit names or maxNames bytes.
func readDir(dir, limit int) ([]vfs.Entry, error) {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var list []vfs.Entry
	buf := make([]byte, 16<<10)
	var done pieces
	for size := 0; len(list) < limit && size < maxNames; {
		done.add(pieceSize / 2)
		n, err := unix.Getdents(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n <= 0 {
			break
		}
		size += n
		list = appendDirents(list, buf[:n])
	}
	return list, nil
}

// appendDirents parses struct linux_dirent64: inode, offset, length, type, name.
func appendDirents(list []vfs.Entry, buf []byte) []vfs.Entry {
	const header, typeShift = 19, 12 // DTTOIF of readdir(3)
	for len(buf) >= header {
		length := int(binary.NativeEndian.Uint16(buf[16:]))
		if length < header || length > len(buf) {
			break
		}
		name, _, _ := bytes.Cut(buf[header:length], []byte{0})
		e := vfs.Entry{Name: string(name), Ino: binary.NativeEndian.Uint64(buf), Mode: uint32(buf[18]) << typeShift}
		if e.Name != "." && e.Name != ".." && (isDir(e) || e.Mode == unix.S_IFREG) {
			list = append(list, e)
		}
		buf = buf[length:]
	}
	return list
}
