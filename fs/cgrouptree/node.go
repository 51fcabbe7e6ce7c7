package cgrouptree

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// node is a cgroup, or an interface file in one, that a caller has in hand. fd
// is the cgroup's directory: whatever is renamed meanwhile, it stays the one
// that was found to be the caller's.
type node struct {
	tree   *Tree
	h      *hierarchy
	scope  scope
	caller vfs.Caller
	cred   *cred
	rel    relation // of the cgroup
	path   string   // of the cgroup
	file   string   // name of the interface file; "" for the cgroup itself
	fd     int
	stat   unix.Stat_t // of the file if there is one
}

func (n *node) close() { unix.Close(n.fd) }

func (n *node) fullPath() string {
	if n.file == "" {
		return n.path
	}
	return n.path + "/" + n.file
}

// writable: the cgroup is the container's.
func (n *node) writable() bool {
	return !n.scope.all && (n.rel == top || n.rel == below)
}

// open finds the node of a key and checks that the caller may see it.
func (t *Tree) open(c vfs.Caller, key vfs.Key) (*node, error) {
	h, ino := t.split(key)
	if h == nil {
		return nil, syscall.ESTALE
	}
	cr, err := t.credentials(c)
	if err != nil {
		return nil, vanished(err)
	}
	s, err := t.scope(c.TID, h, cr.task.depth())
	if err != nil {
		return nil, vanished(err)
	}
	n, err := t.find(h, s, key, ino)
	if err != nil {
		return nil, err
	}
	if n.rel == outside && ino != h.ino || n.rel == above && n.file != "" {
		n.close()
		return nil, syscall.ENOENT
	}
	if err := t.confirm(h, s); err != nil {
		n.close()
		return nil, vanished(err)
	}
	n.caller, n.cred = c, cr
	return n, nil
}

// vanished: that the caller is gone concerns nobody; it is not to be answered
// with "no such file".
func vanished(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return syscall.ESRCH
	}
	return err
}

// find opens the node where it was last, or looks for it.
func (t *Tree) find(h *hierarchy, s scope, key vfs.Key, ino uint64) (*node, error) {
	name, known := t.paths.get(key)
	if ino == h.ino {
		name, known = "", true
	}
	if known {
		n, err := t.at(h, s, name)
		if err == nil && n.stat.Ino == ino {
			return n, nil
		}
		if err == nil {
			n.close()
		}
	}
	err := t.long(s, func() (err error) {
		name, err = t.search(h, s, ino)
		return err
	})
	if err != nil {
		return nil, err
	}
	n, err := t.at(h, s, name)
	if err != nil {
		return nil, err
	}
	if n.stat.Ino != ino {
		n.close()
		return nil, syscall.ESTALE
	}
	t.remember(s, key, name)
	return n, nil
}

// at opens the node with that path.
func (t *Tree) at(h *hierarchy, s scope, name string) (*node, error) {
	fd, err := unix.Openat(h.fd, ".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	n := &node{tree: t, h: h, scope: s, fd: fd, rel: s.relation("")}
	if err := unix.Fstat(fd, &n.stat); err != nil {
		n.close()
		return nil, err
	}
	if name == "" {
		return n, nil
	}
	for c := range strings.SplitSeq(name, "/") {
		child, err := n.child(c)
		n.close()
		if err != nil {
			return nil, err
		}
		n = child
	}
	return n, nil
}

// child opens what has that name in n, which is a cgroup. What is neither a
// directory nor a regular file, or of another file system, is not there.
func (n *node) child(name string) (*node, error) {
	if n.file != "" {
		return nil, syscall.ENOTDIR
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	c := *n
	fd, err := openPath(n.fd, name)
	if err != nil {
		return nil, err
	}
	if err := unix.Fstat(fd, &c.stat); err != nil {
		unix.Close(fd)
		return nil, err
	}
	switch kind := c.stat.Mode & unix.S_IFMT; {
	case c.stat.Dev != n.h.dev:
	case kind == unix.S_IFDIR:
		c.fd, c.path = fd, path.Join(n.path, name)
		c.rel = c.scope.relation(c.path)
		return &c, nil
	case kind == unix.S_IFREG:
		unix.Close(fd)
		c.file = name
		if c.fd, err = unix.FcntlInt(uintptr(n.fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return nil, err
		}
		return &c, nil
	}
	unix.Close(fd)
	return nil, syscall.ENOENT
}

func openPath(dir int, name string) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// How long contents are about, bytes: lists of processes may be long.
const (
	usualSize = 4 << 10
	listSize  = 256 << 10
)

func (n *node) attr() vfs.Attr {
	if n.file == "" && (n.rel == above || n.rel == outside) {
		return vfs.Attr{Ino: n.stat.Ino, Mode: unix.S_IFDIR | 0o555}
	}
	a := vfs.Attr{
		Ino: n.stat.Ino, Mode: n.stat.Mode, UID: n.stat.Uid, GID: n.stat.Gid, Nlink: uint32(n.stat.Nlink),
		Length: usualSize, Time: uint64(max(n.stat.Mtim.Sec, 0)),
	}
	if isList(n.file) {
		a.Length = listSize
	}
	return a
}

// remember remembers where a node is that somebody in a scope found there.
func (t *Tree) remember(s scope, key vfs.Key, name string) {
	if known, ok := t.paths.get(key); !ok || known != name {
		t.paths.put(s.bound(), key, name, len(name))
	}
}
