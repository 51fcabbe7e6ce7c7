package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// Triggers are pressure triggers; [psi.Engine] is one. Errors hold a
// syscall.Errno.
type Triggers interface {
	// Add makes what the thread tid wrote to the pressure file of a resource the
	// trigger of a handle. again: an earlier process may have done it already.
	Add(fh uint64, tid uint32, resource string, text []byte, again bool) error
	// Poll says what is ready of a handle, as poll(2) does. With notify somebody
	// waits, who is woken by kh.
	Poll(fh, kh uint64, notify bool) (events uint32)
	// Remove ends the trigger of a handle, if it has one.
	Remove(fh uint64)
}

// SetTriggers makes pressure files writable and poll(2) work. Without, POLL is
// answered with ENOSYS: an answered POLL can keep a host from suspending. To be
// called before serving.
func (t *Tree) SetTriggers(triggers Triggers) {
	t.triggers = triggers
	t.table.takeTriggers()
}

// triggered is a [vfs.Tree] of which some files take triggers.
type triggered interface {
	// Resource returns which resource a file is the pressure of, "cpu", and false
	// for another file.
	Resource(file vfs.Key) (string, bool)
}

func (t *Tree) resource(p place) (string, bool) {
	if tree, ok := p.Tree.(triggered); ok {
		return tree.Resource(p.key)
	}
	return "", false
}

// writeTrigger makes a trigger of what was written to a pressure file.
func (t *Tree) writeTrigger(resource string, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	h := t.handles.get(in.Fh, in.NodeId)
	if h == nil {
		return 0, fuse.EBADF
	}
	defer t.handles.put(h)
	c := t.changer(&in.InHeader)
	if err := t.triggers.Add(in.Fh, c.TID, resource, data, c.Replayed); err != nil {
		return 0, status(err)
	}
	return in.Size, fuse.OK // what is behind the trigger is ignored
}

// pollReady is what poll(2) says of any file: POLLIN, POLLOUT, POLLRDNORM and
// POLLWRNORM.
const pollReady = 0x001 | 0x004 | 0x040 | 0x100

// Poll answers poll(2) for package session. ENOSYS would hold for all files, so
// with triggers every file is answered.
func (t *Tree) Poll(id, fh, kh uint64, notify bool) (events uint32, errno syscall.Errno) {
	if t.triggers == nil {
		return 0, syscall.ENOSYS
	}
	if _, ok := t.resource(t.at(id)); !ok {
		return pollReady, 0
	}
	return t.triggers.Poll(fh, kh, notify), 0
}
