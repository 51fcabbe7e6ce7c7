package fs

import (
	"errors"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/subtree"
)

func (t *Tree) subtreeLookup(s *mounted, dir subtree.Key, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	key, a, err := s.Tree.Lookup(t.caller(h), dir, name)
	if err != nil {
		return status(err)
	}
	t.entry(s, key, a, out)
	return fuse.OK
}

func (t *Tree) subtreeGetAttr(s *mounted, key subtree.Key, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	a, err := s.Tree.Attr(t.caller(&in.InHeader), key)
	if err != nil {
		return status(err)
	}
	t.subtreeAttr(a, &out.Attr)
	if a.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return fuse.OK
	}
	return t.asked(in, uint64(a.Size), &out.Attr)
}

func (t *Tree) subtreeSetAttr(s *mounted, key subtree.Key, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	a, err := t.change(s, key, in)
	if err != nil {
		return status(err)
	}
	t.subtreeAttr(a, &out.Attr)
	return fuse.OK
}

// change changes owner and mode where that is possible. A size alone is
// ignored, times can't be changed.
func (t *Tree) change(s *mounted, key subtree.Key, in *fuse.SetAttrIn) (subtree.Attr, error) {
	var c subtree.Change
	if mode, ok := in.GetMode(); ok {
		mode &= 0o7777
		c.Mode = &mode
	}
	if uid, ok := in.GetUID(); ok {
		c.UID = &uid
	}
	if gid, ok := in.GetGID(); ok {
		c.GID = &gid
	}
	if c == (subtree.Change{}) {
		if in.Valid&fuse.FATTR_SIZE == 0 {
			return subtree.Attr{}, syscall.EPERM
		}
		if in.Valid&fuse.FATTR_FH == 0 {
			if err := t.subtreeAccess(s, key, &in.InHeader, mayWrite); err != nil {
				return subtree.Attr{}, err
			}
		}
		return s.Tree.Attr(t.caller(&in.InHeader), key)
	}
	m, ok := s.Tree.(subtree.Mutable)
	if !ok {
		return subtree.Attr{}, syscall.EPERM
	}
	return m.Change(t.caller(&in.InHeader), key, c)
}

func (t *Tree) subtreeOpen(s *mounted, key subtree.Key, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if _, ok := s.Tree.(subtree.Mutable); !ok && forWriting(in.Flags) && !permits(readable, in.Uid, mayWrite) {
		return fuse.EACCES
	}
	if err := s.Tree.Open(t.caller(&in.InHeader), key, in.Flags); err != nil {
		return status(err)
	}
	out.Fh = t.handles.create()
	if _, ok := s.Tree.(subtree.Mutable); ok && forWriting(in.Flags) {
		t.handles.openedBy(out.Fh, in.NodeId, in.Uid, t.renderer.owner(in.Pid))
	}
	out.OpenFlags = fuse.FOPEN_DIRECT_IO | fuse.FOPEN_NOFLUSH
	return fuse.OK
}

func (t *Tree) subtreeRead(s *mounted, key subtree.Key, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	h := t.handles.get(in.Fh, in.NodeId)
	if h == nil {
		return nil, fuse.EBADF
	}
	defer t.handles.put(h)
	n, err := t.handles.read(h, buf, in.Offset, t.subtreeRender(s, key, &in.InHeader))
	if err != nil {
		return nil, status(err)
	}
	return fuse.ReadResultData(buf[:n]), fuse.OK
}

func (t *Tree) subtreeRender(s *mounted, key subtree.Key, h *fuse.InHeader) rendering {
	return func(dst []byte) ([]byte, string, error) {
		defer s.counters.End(s.counters.Begin())
		owner := t.renderer.owner(h.Pid)
		out, err := s.Tree.Append(dst, t.caller(h), key)
		var f *subtree.Fallback
		if _, mutable := s.Tree.(subtree.Mutable); !mutable && errors.As(err, &f) {
			t.renderer.fellBack(Fallback{Path: f.Path, TID: h.Pid, Top: owner, Err: f.Err})
			return out, owner, nil
		}
		if status(err) == fuse.EIO {
			s.counters.Fail(err)
		}
		return out, owner, err
	}
}

func (t *Tree) subtreeWrite(s *mounted, key subtree.Key, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	m, ok := s.Tree.(subtree.Mutable)
	if !ok {
		return 0, fuse.EIO
	}
	if st := t.handles.mayWrite(in.Fh, in.NodeId, in.Uid); st != fuse.OK {
		return 0, st
	}
	n, err := m.Write(t.caller(&in.InHeader), key, in.Offset, data)
	return uint32(n), status(err)
}

// Mkdir makes a directory in a subtree that can be changed.
func (t *Tree) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	s, m, dir := t.mutable(in.NodeId)
	if m == nil || s.top.child(name) != nil && dir == subtree.Top {
		return fuse.EPERM
	}
	key, a, err := m.Mkdir(t.caller(&in.InHeader), dir, name, in.Mode&0o7777)
	if err != nil {
		return status(err)
	}
	t.entry(s, key, a, out)
	return fuse.OK
}

// Rmdir removes one.
func (t *Tree) Rmdir(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	s, m, dir := t.mutable(h.NodeId)
	if m == nil || s.top.child(name) != nil && dir == subtree.Top {
		return fuse.EPERM
	}
	return status(m.Rmdir(t.caller(h), dir, name))
}

func (t *Tree) mutable(id uint64) (*mounted, subtree.Mutable, subtree.Key) {
	s, key := t.at(id)
	if s == nil {
		return nil, nil, 0
	}
	m, _ := s.Tree.(subtree.Mutable)
	return s, m, key
}

// Readlink returns the text of a symlink.
func (t *Tree) Readlink(_ <-chan struct{}, h *fuse.InHeader) ([]byte, fuse.Status) {
	s, key := t.below(h.NodeId)
	if s == nil {
		return nil, fuse.EINVAL
	}
	l, ok := s.Tree.(subtree.Linker)
	if !ok {
		return nil, fuse.EINVAL
	}
	target, err := l.Target(t.caller(h), key)
	return []byte(target), status(err)
}

// listed returns what the open directory in lists after "." and "..": the names
// of the table, then those of the subtree that are not in the table.
func (t *Tree) listed(s *mounted, key subtree.Key, in *fuse.ReadIn) ([]subtree.Entry, error) {
	if in.Offset != 0 {
		if entries, ok := t.listings.get(in.Fh); ok {
			return entries, nil
		}
	}
	entries, err := s.Tree.List(t.caller(&in.InHeader), key)
	if err != nil {
		return nil, err
	}
	if key == subtree.Top {
		entries = s.top.before(entries)
	}
	t.listings.keep(in.Fh, entries, t.renderer.owner(in.Pid))
	return entries, nil
}

// before puts the children of n before others of the same directory.
func (n *node) before(entries []subtree.Entry) []subtree.Entry {
	var all []subtree.Entry
	for _, c := range n.children {
		all = append(all, subtree.Entry{Name: c.name, Ino: uint64(c.index), Mode: mode(c)})
	}
	for _, e := range entries {
		if n.child(e.Name) == nil {
			all = append(all, e)
		}
	}
	return all
}

func (t *Tree) subtreeReadDir(s *mounted, key subtree.Key, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	entries, err := t.listed(s, key, in)
	if err != nil {
		return status(err)
	}
	for i := in.Offset; i < uint64(len(entries))+2; i++ {
		entry := fuse.DirEntry{Name: ".", Mode: syscall.S_IFDIR, Ino: in.NodeId, Off: i + 1}
		switch {
		case i == 1:
			entry.Name = ".."
		case i > 1:
			e := entries[i-2]
			entry.Name, entry.Ino, entry.Mode = e.Name, e.Ino, e.Mode&syscall.S_IFMT
		}
		if !out.AddDirEntry(entry) {
			break
		}
	}
	return fuse.OK
}
