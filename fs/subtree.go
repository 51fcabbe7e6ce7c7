package fs

import (
	"errors"
	iofs "io/fs"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/subtree"
)

// A node id with the highest bit set belongs to a subtree:
//
//	63  62..60            59..KeyBits  KeyBits-1..0
//	1   subtree's number  0            key
//
// A kernel may hold ids of earlier versions in which the 0 is something else.
const (
	subtreeBit  = 1 << 63
	numberShift = 60
	maxKeyBits  = 44
)

// subtreeNumbers is frozen: the numbers are in node ids. 7 is left out, for the
// id of all ones is taken by go-fuse.
func subtreeNumbers() map[string]uint64 {
	return map[string]uint64{
		"/sys/devices/system/cpu":    0,
		"/sys/devices/system/node":   1,
		"/cgroup":                    2,
		"/sys/block":                 3,
		"/sys/devices/system/memory": 4,
	}
}

// mounted is a subtree in its place.
type mounted struct {
	subtree.Mount
	number uint64
	top    *node // of the table

	counters Counters // of all its files together
}

// id returns the node id of a key.
func (m *mounted) id(key subtree.Key) uint64 {
	if key == subtree.Top {
		return nodeID(m.top.index)
	}
	return subtreeBit | m.number<<numberShift | uint64(key)&m.keyMask()
}

func (m *mounted) keyMask() uint64 { return 1<<m.KeyBits - 1 }

// mount puts subtrees into their places. One that has no number in the frozen
// table is left out.
func (t *Tree) mount(mounts []subtree.Mount) {
	indexes, numbers := indexes(), subtreeNumbers()
	t.subtrees = make(map[uint64]*mounted)
	for _, m := range mounts {
		number, ok := numbers[m.Path]
		if !ok || m.KeyBits == 0 || m.KeyBits > maxKeyBits {
			continue
		}
		s := &mounted{Mount: m, number: number, top: t.nodes.directory(indexes, m.Path)}
		s.top.sub = s
		t.subtrees[number] = s
	}
	t.renderer.subtrees = t.subtrees
}

// at returns the subtree that serves a node id, and its key there: one below a
// subtree's top, or the top itself. nil: the id is the table's alone.
func (t *Tree) at(id uint64) (*mounted, subtree.Key) {
	if id&subtreeBit != 0 {
		if s := t.subtrees[id>>numberShift&7]; s != nil {
			return s, subtree.Key(id & s.keyMask())
		}
		return nil, 0
	}
	if n := t.nodes.node(id); n != nil && n.sub != nil {
		return n.sub, subtree.Top
	}
	return nil, 0
}

// below is at for what is strictly below a top.
func (t *Tree) below(id uint64) (*mounted, subtree.Key) {
	if id&subtreeBit == 0 {
		return nil, 0
	}
	return t.at(id)
}

// caller translates the header of a request.
func (t *Tree) caller(h *fuse.InHeader) subtree.Caller {
	return subtree.Caller{UID: h.Uid, GID: h.Gid, TID: h.Pid, Replayed: t.replayed != nil && t.replayed(h.Unique)}
}

// status translates a subtree's error.
func status(err error) fuse.Status {
	var errno syscall.Errno
	switch {
	case err == nil:
		return fuse.OK
	case errors.As(err, &errno):
		return fuse.Status(errno)
	case errors.Is(err, iofs.ErrNotExist):
		return fuse.ENOENT
	case errors.Is(err, iofs.ErrPermission):
		return fuse.EACCES
	}
	return fuse.EIO
}

// subtreeAttr translates attributes.
func (t *Tree) subtreeAttr(a subtree.Attr, out *fuse.Attr) {
	out.Ino, out.Mode, out.Nlink = a.Ino, a.Mode, a.Nlink
	out.Owner = fuse.Owner{Uid: a.UID, Gid: a.GID}
	seconds := a.Time
	if seconds == 0 {
		seconds = t.bootTime
	}
	out.Atime, out.Mtime, out.Ctime = seconds, seconds, seconds
	out.Blksize = 4096
	switch a.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
		claim(sizeFor(max(a.Length, a.Size)), out)
	case syscall.S_IFLNK:
		out.Size = uint64(a.Size)
	}
	if out.Nlink == 0 {
		out.Nlink = 1
		if a.Mode&syscall.S_IFMT == syscall.S_IFDIR {
			out.Nlink = 2
		}
	}
}

// entry fills in the answer to a LOOKUP or MKDIR. Nothing of it may be kept:
// who asks next may be somebody else.
func (t *Tree) entry(s *mounted, key subtree.Key, a subtree.Attr, out *fuse.EntryOut) {
	*out = fuse.EntryOut{NodeId: s.id(key)}
	t.subtreeAttr(a, &out.Attr)
}
