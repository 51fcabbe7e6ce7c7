package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/subtree"
)

// Permissions, as in access(2).
const (
	mayWrite = 2
	readable = 0o444
)

// permits says whether the permissions of something that is root's let a user do
// what is wanted. Root may do all: that it may open a file and not write to it is
// told when it writes.
func permits(mode, uid, want uint32) bool { return uid == 0 || mode&want == want }

// Access answers access(2) and chdir(2).
func (t *Tree) Access(_ <-chan struct{}, in *fuse.AccessIn) fuse.Status {
	if s, key := t.below(in.NodeId); s != nil {
		return status(t.subtreeAccess(s, key, &in.InHeader, in.Mask))
	}
	n := t.nodes.node(in.NodeId)
	switch {
	case n == nil:
		return fuse.Status(syscall.ESTALE)
	case !permits(t.mode(n), in.Uid, in.Mask):
		return fuse.EACCES
	}
	return fuse.OK
}

func (t *Tree) subtreeAccess(s *mounted, key subtree.Key, h *fuse.InHeader, want uint32) error {
	if m, ok := s.Tree.(subtree.Mutable); ok {
		return m.Access(t.caller(h), key, want)
	}
	a, err := s.Tree.Attr(t.caller(h), key)
	if err == nil && !permits(a.Mode, h.Uid, want) {
		err = syscall.EACCES
	}
	return err
}
