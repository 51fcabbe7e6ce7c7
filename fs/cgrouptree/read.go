package cgrouptree

import (
	"bytes"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// Open says whether the caller may open a file for what the flags say.
func (t *Tree) Open(c vfs.Caller, file vfs.Key, flags uint32) error {
	n, err := t.open(c, file)
	if err != nil {
		return err
	}
	defer n.close()
	var want uint32
	switch flags & unix.O_ACCMODE {
	case unix.O_RDONLY:
		want = mayRead
	case unix.O_WRONLY:
		want = mayWrite
	case unix.O_RDWR:
		want = mayRead | mayWrite
	}
	switch {
	case n.file == "":
		return syscall.EISDIR
	case !n.cred.may(&n.stat, want):
		return syscall.EACCES
	}
	return nil
}

// Append appends the content of an interface file. It asks for no permission
// again: who has the file open may have been given the descriptor.
func (t *Tree) Append(dst []byte, c vfs.Caller, file vfs.Key) ([]byte, error) {
	n, err := t.open(c, file)
	if err != nil {
		return dst, err
	}
	defer n.close()
	if n.file == "" {
		return dst, syscall.EISDIR
	}
	if !isList(n.file) {
		return n.append(dst, n.file)
	}
	start := len(dst)
	err = t.long(n.scope, func() error {
		text, err := n.append(nil, n.file)
		dst = n.appendVisible(dst, text)
		return err
	})
	if err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// maxContent bounds what is read of one interface file, bytes: a list of half a
// million ids is less than that.
const maxContent = 4 << 20

// append appends the content of an interface file of the cgroup n.
func (n *node) append(dst []byte, file string) ([]byte, error) {
	fd, err := n.openFile(file, unix.O_RDONLY)
	if err != nil {
		return dst, err
	}
	defer unix.Close(fd)
	start := len(dst)
	buf := make([]byte, 16<<10)
	for {
		got, err := unix.Read(fd, buf)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return dst[:start], err
		case got == 0:
			return dst, nil
		case len(dst)-start+got > maxContent:
			return dst[:start], syscall.EFBIG
		default:
			dst = append(dst, buf[:got]...)
		}
	}
}

// openFile opens an interface file of the cgroup n; if it is n itself, it is
// the very inode that was found.
func (n *node) openFile(file string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(n.fd, file, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || file != n.file {
			return fd, err
		}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil || st.Ino != n.stat.Ino {
			unix.Close(fd)
			return -1, syscall.ENODEV
		}
		return fd, nil
	}
}

// appendVisible translates a list of ids, one a line, to those of the caller's
// pid namespace. Those that it does not show are left out; so is everything for
// a caller that is not known.
func (n *node) appendVisible(dst, text []byte) []byte {
	if n.scope.all {
		return append(dst, text...)
	}
	ns := n.tree.namespace(n)
	var done pieces
	for _, id := range parseIDs(text) {
		done.add(1)
		if v := ns.translate(id); v != 0 {
			dst = strconv.AppendUint(dst, uint64(v), 10)
			dst = append(dst, '\n')
		}
	}
	return dst
}

// parseIDs parses the content of cgroup.procs: an id a line. 0 stands for a
// process that we cannot see, and is left out like any other line.
func parseIDs(text []byte) []uint32 {
	ids := make([]uint32, 0, bytes.Count(text, []byte("\n")))
	for line := range bytes.Lines(text) {
		id, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 32)
		if err == nil && id != 0 {
			ids = append(ids, uint32(id))
		}
	}
	return ids
}
