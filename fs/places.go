package fs

import (
	"errors"
	iofs "io/fs"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/served"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// A node id without the highest bit is an index of the table. What is above the
// index is 0; a kernel may hold ids of earlier versions in which it is not. With
// the highest bit it belongs to another tree:
//
//	63  62..60         59..KeyBits  KeyBits-1..0
//	1   tree's number  0            key
//
// In ids of earlier versions the 0 may be something else. There is no number 7, for
// the id of all ones is taken by go-fuse.
const (
	indexBits   = 16
	treeBit     = 1 << 63
	numberShift = 60
	maxKeyBits  = 44
)

// mounted is a tree in its place.
type mounted struct {
	vfs.Mount
	mutable vfs.Mutable // nil: the tree can't be changed
	bits    uint64      // of its node ids, above the key
	top     uint64      // node id of its top, which is a directory of the table

	counters Counters // of its files together, but of those that have their own
}

// place is a node: a tree, and the key there.
type place struct {
	*mounted
	key vfs.Key
}

// id returns the node id of a place.
func (p place) id() uint64 {
	if p.key == vfs.Top {
		return p.top
	}
	return p.bits | uint64(p.key)&(1<<p.KeyBits-1)
}

// count returns the counters of a file: its own where it is one of the table.
func (p place) count() *Counters {
	if t, ok := p.Tree.(*table); ok {
		if f, err := t.fileOf(p.key); err == nil {
			return &f.counters
		}
	}
	return &p.mounted.counters
}

// append has a file rendered. A tree that can be changed has no host's text to fall
// back to: who asks decides what may be read there.
func (p place) append(dst []byte, c vfs.Caller) ([]byte, error) {
	out, err := p.Tree.Append(dst, c, p.key)
	if p.mutable == nil || err == nil {
		return out, err
	}
	var f *vfs.Fallback
	if errors.As(err, &f) {
		return dst, f.Err
	}
	return dst, err
}

// mount puts trees into their places. One that has no number in the frozen table
// is left out.
func (t *Tree) mount(mounts []vfs.Mount) {
	t.root = &mounted{Mount: vfs.Mount{Path: "/", KeyBits: indexBits, Tree: t.table}, top: served.Root}
	t.over = make(map[vfs.Key]*mounted)
	for _, m := range mounts {
		p := t.table.paths[m.Path]
		if p.Kind != served.Tree || m.KeyBits == 0 || m.KeyBits > maxKeyBits {
			continue
		}
		top := t.table.directory(m.Path).attr.Ino
		s := &mounted{Mount: m, bits: treeBit | uint64(p.Number)<<numberShift, top: top}
		s.mutable, _ = m.Tree.(vfs.Mutable)
		t.over[vfs.Key(top)], t.trees[p.Number] = s, s
	}
	t.renderer.over = t.over
}

// at returns the place of a node id. One that nobody serves is a key that the table
// does not know.
func (t *Tree) at(id uint64) place {
	if id&treeBit == 0 {
		return place{t.root, vfs.Key(id & (1<<indexBits - 1))}
	}
	if m := t.trees[id>>numberShift&7]; m != nil {
		return place{m, vfs.Key(id & (1<<m.KeyBits - 1))}
	}
	return place{t.root, vfs.Key(id)}
}

// under returns the top of the tree that is mounted over a directory of the table:
// its names are there as well, but for those that the table has.
func (t *Tree) under(dir place) (place, bool) {
	if dir.mounted != t.root {
		return place{}, false
	}
	m := t.over[dir.key]
	return place{m, vfs.Top}, m != nil
}

// lookup finds a name in a directory.
func (t *Tree) lookup(c vfs.Caller, dir place, name string) (place, vfs.Attr, error) {
	key, a, err := dir.Tree.Lookup(c, dir.key, name)
	if err == syscall.ENOENT {
		if top, ok := t.under(dir); ok {
			dir = top
			key, a, err = dir.Tree.Lookup(c, dir.key, name)
		}
	}
	return place{dir.mounted, key}, a, err
}

// list returns the names in a directory.
func (t *Tree) list(c vfs.Caller, dir place) ([]vfs.Entry, error) {
	entries, err := dir.Tree.List(c, dir.key)
	top, ok := t.under(dir)
	if err != nil || !ok {
		return entries, err
	}
	others, err := top.Tree.List(c, top.key)
	for _, e := range others {
		if t.table.node(dir.key).child(e.Name) == nil {
			entries = append(entries, e)
		}
	}
	return entries, err
}

// changeable returns the directory in which somebody makes or removes a name.
func (t *Tree) changeable(id uint64, name string) (place, fuse.Status) {
	dir := t.at(id)
	if top, ok := t.under(dir); ok && t.table.node(dir.key).child(name) == nil {
		dir = top
	}
	if dir.mutable == nil {
		return dir, fuse.EPERM
	}
	return dir, fuse.OK
}

// caller translates the header of a request that changes nothing.
func caller(h *fuse.InHeader) vfs.Caller { return vfs.Caller{UID: h.Uid, GID: h.Gid, TID: h.Pid} }

// changer translates that of a request that changes something.
func (t *Tree) changer(h *fuse.InHeader) vfs.Caller {
	c := caller(h)
	c.Replayed = t.replayed != nil && t.replayed(h.Unique)
	return c
}

// refusal says that an error is one by which a tree answers that a caller may not, or
// that there is nothing.
func refusal(err error) bool { return status(err) != fuse.EIO }

// status translates a tree's error.
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
