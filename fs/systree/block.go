package systree

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/subtree"
)

// BlockDir has a directory for each disk, on every machine and in the served
// tree. The kernel's is full of symlinks; those here are directories.
const BlockDir = "/sys/block"

// Diskstats returns /proc/diskstats as a caller reads it.
type Diskstats func(tid uint32) ([]byte, error)

// Block returns the tree of the disks below root (BlockDir but in tests): of
// each that has a line in a caller's /proc/diskstats the attributes and the
// directory queue, with the numbers of that line in stat, which iostat(1)
// reads, and no request in flight. false: there is no such directory.
//
// Partitions are left out, for cgroups account whole disks, and so are all
// symlinks.
func Block(root string, diskstats Diskstats) (subtree.Mount, bool) {
	d := disks{root: root}
	if !isDirectory(d, nil) {
		return subtree.Mount{}, false
	}
	t := &tree{source: d, keys: newKeys(), eyes: func(tid uint32) eyes {
		return &diskEyes{tid: tid, diskstats: diskstats}
	}}
	return subtree.Mount{Path: BlockDir, KeyBits: KeyBits, Tree: t}, true
}

// disks is the source of the tree: the root, and a walker below each disk. Its
// symlink is the kernel's and is followed; none below it is.
type disks struct{ root string }

// at returns the walker below the disk that a path begins with, and the rest.
func (d disks) at(path []string) (*walker, []string, error) {
	if len(path) == 0 {
		w, err := newWalker(d.root)
		return w, nil, err
	}
	if !plain(path[0]) {
		return nil, nil, fmt.Errorf("%s: %w", d.name(path), unix.ENOENT)
	}
	w, err := newWalker(d.root + "/" + path[0])
	return w, path[1:], err
}

func (d disks) stat(path []string) (info, error) {
	w, rest, err := d.at(path)
	if err != nil {
		return info{}, err
	}
	return w.stat(rest)
}

func (d disks) readlink(path []string) (string, error) {
	w, rest, err := d.at(path)
	if err != nil {
		return "", err
	}
	return w.readlink(rest)
}

func (d disks) list(path []string) ([]string, error) {
	w, rest, err := d.at(path)
	if err != nil {
		return nil, err
	}
	return w.list(rest)
}

func (d disks) read(dst []byte, path []string) ([]byte, error) {
	w, rest, err := d.at(path)
	if err != nil {
		return dst, err
	}
	return w.read(dst, rest)
}

func (d disks) name(path []string) string { return d.root + "/" + strings.Join(path, "/") }

// queueDir has what is set for a disk's requests.
const queueDir = "queue"

// diskEyes see the disks of a caller.
type diskEyes struct {
	tid       uint32
	diskstats Diskstats
	text      []byte // what it returned, nil: not yet asked
}

// sees implements [eyes].
func (e *diskEyes) sees(path []string, i info) bool {
	if !i.readable() {
		return false
	}
	inQueue := len(path) > 1 && path[1] == queueDir
	switch i.kind() {
	case unix.S_IFDIR:
		return len(path) == 0 || (len(path) == 1 || inQueue) && e.has(path[0])
	case unix.S_IFREG:
		return (len(path) == 2 || len(path) > 2 && inQueue) && e.has(path[0])
	}
	return false
}

func (e *diskEyes) has(disk string) bool { return e.fields(disk) != nil }

// fields returns the numbers in the caller's line of a disk, nil for a disk
// without one.
func (e *diskEyes) fields(disk string) [][]byte {
	if e.text == nil {
		text, err := e.diskstats(e.tid)
		if err != nil {
			return nil
		}
		e.text = text
	}
	for line := range bytes.Lines(e.text) {
		// major minor name numbers; sysfs has no "/" in a name ("cciss!c0d0").
		words := bytes.Fields(line)
		if len(words) > 3 && strings.ReplaceAll(string(words[2]), "/", "!") == disk {
			return words[3:]
		}
	}
	return nil
}

// render implements [eyes]: stat has the columns of /proc/diskstats
// (Documentation/block/stat.rst), inflight reads and writes that wait
// (Documentation/ABI/stable/sysfs-block).
func (e *diskEyes) render(dst, text []byte, path []string) ([]byte, error) {
	if len(path) != 2 {
		return append(dst, text...), nil
	}
	switch path[1] {
	case "stat":
		return appendColumns(dst, e.fields(path[0])), nil
	case "inflight":
		return appendColumns(dst, bytes.Fields([]byte("0 0"))), nil
	}
	return append(dst, text...), nil
}

// appendColumns appends a line of numbers, each 8 wide or wider, as the kernel
// does in block/genhd.c.
func appendColumns(dst []byte, columns [][]byte) []byte {
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = fmt.Appendf(dst, "%8s", c)
	}
	return append(dst, '\n')
}
