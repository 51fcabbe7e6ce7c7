package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/served"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// Tree is the file system of one connection: it finds the place of a node id, and
// asks the [vfs.Tree] there. It embeds readOnly, so that what is not written down
// here is refused. Safe for concurrent use.
type Tree struct {
	readOnly
	table    *table
	root     *mounted // the table in its place
	trees    [8]*mounted
	over     map[vfs.Key]*mounted // the same, by the directory of the table
	handles  *handles
	renderer *Renderer
	epoch    uint32
	bootTime uint64
	listings listings
	replayed func(unique uint64) bool
	expire   func(node uint64) error // nil: attributes can't be expired
	triggers Triggers                // nil: there are none
}

var _ fuse.RawFileSystem = (*Tree)(nil)

// NewTree makes the tree of the renderer's files and of others, with handles kept
// in store.
func NewTree(r *Renderer, store Store, others ...vfs.Mount) *Tree {
	return newTree(r, store, served.Paths(), others...)
}

func newTree(r *Renderer, store Store, paths []served.Path, others ...vfs.Mount) *Tree {
	t := &Tree{
		readOnly: readOnly{fuse.NewDefaultRawFileSystem()},
		table:    newTable(r, r.files, paths),
		handles:  newHandles(store),
		renderer: r,
		epoch:    store.Epoch(),
		bootTime: r.bootTime(),
	}
	t.mount(others)
	return t
}

// SetReplayed gives the tree a function that says whether an earlier process
// may have carried out the request with that number. To be called before serving.
func (t *Tree) SetReplayed(replayed func(unique uint64) bool) { t.replayed = replayed }

// SetExpire gives the tree a function that has the kernel show the attributes it
// asks for at this moment and not keep them, see shown. To be called before
// serving; without, files have the size that the kernel's inode has.
func (t *Tree) SetExpire(expire func(node uint64) error) { t.expire = expire }

// String names the file system in messages.
func (t *Tree) String() string { return "lxcfs" }

// Lookup finds a name in a directory.
func (t *Tree) Lookup(_ <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	p, a, err := t.lookup(caller(header), t.at(header.NodeId), name)
	if err != nil {
		return status(err)
	}
	t.entry(p, a, out)
	return fuse.OK
}

// GetAttr answers stat(2), the GETATTR of each open where an earlier version
// mounted (with default_permissions), and lseek(2) to the end, which brings its
// handle: see claim.
func (t *Tree) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	p := t.at(in.NodeId)
	a, err := p.Tree.Attr(caller(&in.InHeader), p.key)
	if err != nil {
		return status(err)
	}
	out.AttrValid = t.attr(a, &out.Attr)
	if a.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return fuse.OK
	}
	return t.asked(in, uint64(a.Size), &out.Attr)
}

// SetAttr changes owner and mode where that is possible. A size is ignored, as by
// procfs (open with O_TRUNC sends one); times can't be changed.
func (t *Tree) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	a, err := t.change(t.at(in.NodeId), in)
	if err != nil {
		return status(err)
	}
	out.AttrValid = t.attr(a, &out.Attr)
	return fuse.OK
}

func (t *Tree) change(p place, in *fuse.SetAttrIn) (vfs.Attr, error) {
	var change vfs.Change
	if mode, ok := in.GetMode(); ok {
		mode &= 0o7777
		change.Mode = &mode
	}
	if uid, ok := in.GetUID(); ok {
		change.UID = &uid
	}
	if gid, ok := in.GetGID(); ok {
		change.GID = &gid
	}
	c := t.changer(&in.InHeader)
	switch {
	case change == (vfs.Change{}) && in.Valid&fuse.FATTR_SIZE != 0:
		if in.Valid&fuse.FATTR_FH == 0 {
			if err := access(p, c, mayWrite); err != nil {
				return vfs.Attr{}, err
			}
		}
		return p.Tree.Attr(c, p.key)
	case change == (vfs.Change{}) || p.mutable == nil:
		return vfs.Attr{}, syscall.EPERM
	}
	return p.mutable.Change(c, p.key, change)
}

// Open makes the number of a handle. Nothing is rendered or kept before somebody
// reads.
func (t *Tree) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	p, c := t.at(in.NodeId), caller(&in.InHeader)
	if p.mutable == nil && forWriting(in.Flags) {
		if err := access(p, c, mayWrite); err != nil {
			return status(err)
		}
	}
	if err := p.Tree.Open(c, p.key, in.Flags); err != nil {
		return status(err)
	}
	out.Fh = t.handles.create()
	if forWriting(in.Flags) && (p.mutable != nil || p.mounted == t.root) { // others can't be written
		t.handles.openedBy(out.Fh, in.NodeId, in.Uid, t.renderer.owner(in.Pid))
	}
	out.OpenFlags = fuse.FOPEN_DIRECT_IO | fuse.FOPEN_NOFLUSH
	return fuse.OK
}

// Read serves bytes of a handle, for a reader's buffer and never for the page
// cache: see uncached.
func (t *Tree) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	if !uncached(in) {
		return nil, fuse.EINVAL
	}
	h := t.handles.get(in.Fh, in.NodeId)
	if h == nil {
		return nil, fuse.EBADF
	}
	defer t.handles.put(h)
	count, err := t.handles.read(h, buf, in.Offset, t.render(t.at(in.NodeId), caller(&in.InHeader)))
	if err != nil {
		return nil, status(err)
	}
	return fuse.ReadResultData(buf[:count]), fuse.OK
}

// Release ends a handle.
func (t *Tree) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	if t.triggers != nil {
		t.triggers.Remove(in.Fh)
	}
	t.handles.release(in.Fh)
}

// Write writes where that is possible, and fails as it does on a file of procfs
// that can't be written.
// Of data that waited for long in the journal there may be less than the caller wrote,
// see package session.
func (t *Tree) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	p := t.at(in.NodeId)
	if resource, ok := t.resource(p); ok {
		return t.writeTrigger(resource, in, data)
	}
	if p.mutable == nil {
		return 0, fuse.EIO
	}
	if st := t.handles.mayWrite(in.Fh, in.NodeId, in.Uid); st != fuse.OK {
		return 0, st
	}
	switch {
	case int(in.Size) <= len(data):
	case in.Size >= vfs.MaxWrite:
		return 0, fuse.Status(syscall.E2BIG)
	default:
		return 0, fuse.EAGAIN
	}
	n, err := p.mutable.Write(t.changer(&in.InHeader), p.key, in.Offset, data)
	return uint32(n), status(err)
}

// Mkdir makes a directory in a tree that can be changed.
func (t *Tree) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	dir, st := t.changeable(in.NodeId, name)
	if st != fuse.OK {
		return st
	}
	key, a, err := dir.mutable.Mkdir(t.changer(&in.InHeader), dir.key, name, in.Mode&0o7777)
	if err != nil {
		return status(err)
	}
	t.entry(place{dir.mounted, key}, a, out)
	return fuse.OK
}

// Rmdir removes one.
func (t *Tree) Rmdir(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	dir, st := t.changeable(h.NodeId, name)
	if st != fuse.OK {
		return st
	}
	return status(dir.mutable.Rmdir(t.changer(h), dir.key, name))
}

// Readlink returns the text of a symlink.
func (t *Tree) Readlink(_ <-chan struct{}, h *fuse.InHeader) ([]byte, fuse.Status) {
	p := t.at(h.NodeId)
	l, ok := p.Tree.(vfs.Linker)
	if !ok {
		return nil, fuse.EINVAL
	}
	target, err := l.Target(caller(h), p.key)
	return []byte(target), status(err)
}

// OpenDir opens a directory.
func (t *Tree) OpenDir(_ <-chan struct{}, _ *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	out.Fh = t.listings.create(t.epoch)
	return fuse.OK
}

// ReadDir lists a directory from an offset: 0 is ".", 1 is "..", names from 2.
func (t *Tree) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	dir := t.at(in.NodeId)
	entries, err := t.listed(dir, in)
	if err != nil {
		return status(err)
	}
	for i := in.Offset; i < uint64(len(entries))+2; i++ {
		entry := fuse.DirEntry{Name: ".", Mode: syscall.S_IFDIR, Ino: dir.id(), Off: i + 1}
		switch {
		case i == 1:
			entry.Name, entry.Ino = "..", t.above(dir)
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

// listed returns what an open directory lists after "." and "..".
func (t *Tree) listed(dir place, in *fuse.ReadIn) ([]vfs.Entry, error) {
	if in.Offset != 0 {
		if entries, ok := t.listings.get(in.Fh); ok {
			return entries, nil
		}
	}
	entries, err := t.list(caller(&in.InHeader), dir)
	if err == nil {
		t.listings.keep(in.Fh, entries, t.renderer.owner(in.Pid))
	}
	return entries, err
}

// above returns the number of the directory above, as far as it is known.
func (t *Tree) above(dir place) uint64 {
	if n := t.table.node(dir.key); n != nil && dir.mounted == t.root {
		return n.parent.attr.Ino
	}
	return dir.id()
}

// ReleaseDir closes a directory.
func (t *Tree) ReleaseDir(in *fuse.ReleaseIn) { t.listings.release(in.Fh) }

// StatFs answers as procfs does: no blocks, names of 255 bytes.
func (t *Tree) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	out.Bsize, out.Frsize, out.NameLen = 4096, 4096, 255
	return fuse.OK
}

// render binds a place and a caller to the renderer.
func (t *Tree) render(p place, c vfs.Caller) rendering {
	return func(dst []byte) ([]byte, string, error) {
		return t.renderer.answer(dst, p.count(), c, p.append)
	}
}
