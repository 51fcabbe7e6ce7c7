package sys

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// blockDir has a directory for each disk, on every machine and in the served
// tree. The kernel's is full of symlinks; those here are directories.
const blockDir = "/sys/block"

// Shower returns a file as a caller reads it.
type Shower func(path string, c vfs.Caller) ([]byte, error)

// blockTree returns the tree of the disks below root (blockDir but in tests): of
// each that has a line in a caller's /proc/diskstats, with the numbers of that
// line in stat, which iostat(1) reads, and no request in flight.
//
// A disk that the caller may open is there in full, with directories of its
// partitions that he may open, too. In both all but stat and inflight are
// symlinks to the kernel's own in the caller's /sys, where what he may write can
// be written. Of a disk that he only used there are the attributes and the
// directory queue, and no partitions, for cgroups account whole disks.
//
// false: there is no such directory.
func blockTree(root string, show Shower, viewer vfs.Viewer) (vfs.Mount, bool) {
	w, err := newWalker(root)
	if err != nil || !isDirectory(w, nil) {
		return vfs.Mount{}, false
	}
	w.follows = true
	d := disks{w}
	t := &tree{source: d, keys: newKeys(), visibility: func(c vfs.Caller) visibility {
		return &diskVisibility{disks: d, looker: looker{viewer: viewer, caller: c}, show: show}
	}}
	return vfs.Mount{Path: blockDir, KeyBits: keyBits + 1, Tree: t}, true
}

// disks is the source of the tree. The symlink of a disk is the kernel's and is
// followed; none below it is.
type disks struct{ *walker }

// home returns the directory of a disk as the kernel names it,
// "/sys/devices/virtual/block/loop0"; "" for none, where blockDir has no
// symlinks.
func (d disks) home(disk string) string {
	target, err := os.Readlink(d.root + "/" + disk)
	if err != nil {
		return ""
	}
	home := path.Join(blockDir, target)
	if !strings.HasPrefix(home, "/sys/devices/") {
		return ""
	}
	return home
}

// queueDir has what is set for a disk's requests.
const queueDir = "queue"

// diskVisibility shows the disks of a caller.
type diskVisibility struct {
	disks
	looker
	show Shower

	text    []byte       // /proc/diskstats, nil: not yet asked
	devices view.Devices // that he may open
	looked  bool         // devices is filled in
}

// sees implements [visibility].
func (e *diskVisibility) sees(path []string, i info) (info, bool) {
	if len(path) == 0 {
		return i, i.kind() == unix.S_IFDIR && i.readable()
	}
	line := e.line(path[0])
	if line == nil {
		return i, false
	}
	home := e.home(path[0])
	if len(path) > 1 && e.isPartition(path[:2]) {
		if line = e.line(path[1]); line == nil || home == "" || !e.mayOpen(line) {
			return i, false
		}
		return seesAll(home+"/"+path[1], path[2:], i)
	}
	if home != "" && e.mayOpen(line) {
		return seesAll(home, path[1:], i)
	}
	inQueue := len(path) > 1 && path[1] == queueDir
	switch i.kind() {
	case unix.S_IFDIR:
		return i, i.readable() && (len(path) == 1 || inQueue)
	case unix.S_IFREG:
		return i, i.readable() && (len(path) == 2 || inQueue)
	}
	return i, false
}

// seesAll is sees for what is in the directory of a disk or partition that the
// caller may open, and that is home in the kernel's sysfs: the files that are
// made here, and symlinks.
func seesAll(home string, rest []string, i info) (info, bool) {
	switch {
	case len(rest) == 0:
		return i, i.kind() == unix.S_IFDIR && i.readable()
	case len(rest) > 1:
		return i, false
	case made(rest[0]):
		return i, i.kind() == unix.S_IFREG && i.readable()
	}
	i.mode, i.link = unix.S_IFLNK|0o777, home+"/"+rest[0]
	return i, true
}

// isPartition: a directory with a file of that name, called like its disk and a
// number.
func (e *diskVisibility) isPartition(path []string) bool {
	if !strings.HasPrefix(path[1], path[0]) {
		return false
	}
	i, err := e.stat([]string{path[0], path[1], "partition"})
	return err == nil && i.kind() == unix.S_IFREG
}

// mayOpen says whether the caller may open the device of a line. On the host that
// is everybody's to find out.
func (e *diskVisibility) mayOpen(line [][]byte) bool {
	if !e.looked {
		e.looked = true
		var v view.View
		if !e.gather(blockDir, view.NeedDisks, &v) {
			v.Devices = view.AllDevices()
		}
		e.devices = v.Devices
	}
	major, err1 := strconv.ParseUint(string(line[0]), 10, 32)
	minor, err2 := strconv.ParseUint(string(line[1]), 10, 32)
	return err1 == nil && err2 == nil && e.devices.Has(uint32(major), uint32(minor))
}

// line returns the words of the caller's line of a disk or partition: major,
// minor, name, numbers. nil for one without a line.
func (e *diskVisibility) line(disk string) [][]byte {
	if e.text == nil {
		text, err := e.show("/proc/diskstats", e.caller)
		if errors.Is(err, unix.EBUSY) {
			e.err = err
		}
		if err != nil {
			return nil
		}
		e.text = text
	}
	for line := range bytes.Lines(e.text) {
		// sysfs has no "/" in a name ("cciss!c0d0").
		words := bytes.Fields(line)
		if len(words) > 3 && strings.ReplaceAll(string(words[2]), "/", "!") == disk {
			return words
		}
	}
	return nil
}

// Files that are made here, of disks and of partitions.
const (
	statFile     = "stat"
	inflightFile = "inflight"
)

func made(file string) bool { return file == statFile || file == inflightFile }

// render implements [visibility]: stat has the columns of /proc/diskstats
// (Documentation/block/stat.rst), inflight reads and writes that wait
// (Documentation/ABI/stable/sysfs-block).
func (e *diskVisibility) render(dst, text []byte, path []string) ([]byte, error) {
	if len(path) < 2 || path[1] == queueDir {
		return append(dst, text...), nil
	}
	device, file := path[len(path)-2], path[len(path)-1]
	switch file {
	case statFile:
		if line := e.line(device); line != nil {
			return appendColumns(dst, line[3:]), nil
		}
		return dst, fmt.Errorf("%s: %w", e.name(path), unix.ENOENT)
	case inflightFile:
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
