package cgrouptree

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
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
			name := path.Join(dirs[0], e.name)
			if e.ino == ino {
				return name, nil
			}
			if e.dir {
				dirs = append(dirs, name)
			}
		}
	}
	return "", syscall.ENOENT
}

// dirent is a name in a directory.
type dirent struct {
	name string
	ino  uint64
	dir  bool
}

// readDir lists the directory that dir, an O_PATH descriptor, stands for; "."
// and ".." are left out, and so is what comes after limit names.
func readDir(dir, limit int) ([]dirent, error) {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var list []dirent
	buf := make([]byte, 16<<10)
	var done pieces
	for len(list) < limit {
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
		list = appendDirents(list, buf[:n])
	}
	return list, nil
}

// appendDirents parses struct linux_dirent64: inode, offset, length, type, name.
func appendDirents(list []dirent, buf []byte) []dirent {
	const header = 19
	for len(buf) >= header {
		length := int(binary.NativeEndian.Uint16(buf[16:]))
		if length < header || length > len(buf) {
			break
		}
		name, _, _ := bytes.Cut(buf[header:length], []byte{0})
		d := dirent{string(name), binary.NativeEndian.Uint64(buf), buf[18] == unix.DT_DIR}
		if d.name != "." && d.name != ".." && (d.dir || buf[18] == unix.DT_REG) {
			list = append(list, d)
		}
		buf = buf[length:]
	}
	return list
}
