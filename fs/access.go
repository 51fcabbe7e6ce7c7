package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// mayWrite is of access(2).
const mayWrite = 2

// Access answers access(2) and chdir(2).
func (t *Tree) Access(_ <-chan struct{}, in *fuse.AccessIn) fuse.Status {
	return status(access(t.at(in.NodeId), caller(&in.InHeader), in.Mask))
}

// access says whether a caller has these permissions. A tree that can be changed
// knows. All else is root's, who may do everything: that he may open a file and not
// write to it he is told when he writes.
func access(p place, c vfs.Caller, want uint32) error {
	if p.mutable != nil {
		return p.mutable.Access(c, p.key, want)
	}
	a, err := p.Tree.Attr(c, p.key)
	if err == nil && c.UID != 0 && a.Mode&want != want {
		err = syscall.EACCES
	}
	return err
}
