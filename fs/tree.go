package fs

import (
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/subtree"
)

// Tree is the file system of one connection. It embeds readOnly, so that what
// is not written down here is refused. Safe for concurrent use.
type Tree struct {
	readOnly
	nodes    nodeTable
	handles  *handles
	renderer *Renderer
	epoch    uint32
	bootTime uint64
	subtrees map[uint64]*mounted // by number
	listings listings
	replayed func(unique uint64) bool
	expire   func(node uint64) error // nil: attributes can't be expired
	triggers Triggers                // nil: there are none
}

var _ fuse.RawFileSystem = (*Tree)(nil)

// NewTree makes the tree of the renderer's files and of subtrees, with handles
// kept in store.
func NewTree(r *Renderer, store Store, subtrees ...subtree.Mount) *Tree {
	t := &Tree{
		readOnly: readOnly{fuse.NewDefaultRawFileSystem()},
		nodes:    newNodeTable(r.files, r.fileSize),
		handles:  newHandles(store),
		renderer: r,
		epoch:    store.Epoch(),
		bootTime: r.bootTime(),
	}
	t.mount(subtrees)
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
	if s, key := t.below(header.NodeId); s != nil {
		return t.subtreeLookup(s, key, header, name, out)
	}
	dir := t.nodes.node(header.NodeId)
	if dir == nil || dir.file != nil {
		return fuse.Status(syscall.ENOTDIR)
	}
	n := dir.child(name)
	switch {
	case n == nil && dir.sub != nil:
		return t.subtreeLookup(dir.sub, subtree.Top, header, name, out)
	case n == nil:
		return fuse.ENOENT
	}
	out.NodeId = nodeID(n.index)
	out.EntryValid = entryTimeout
	out.AttrValid = attrTimeout(n)
	t.attr(n, &out.Attr)
	return fuse.OK
}

// GetAttr answers stat(2), the GETATTR of each open where an earlier version
// mounted (with default_permissions), and lseek(2) to the end, which brings its
// handle: see claim.
func (t *Tree) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	if s, key := t.below(in.NodeId); s != nil {
		return t.subtreeGetAttr(s, key, in, out)
	}
	n := t.nodes.node(in.NodeId)
	if n == nil {
		return fuse.Status(syscall.ESTALE)
	}
	t.attr(n, &out.Attr)
	out.AttrValid = attrTimeout(n)
	if n.file == nil {
		return fuse.OK
	}
	return t.asked(in, n.end(), &out.Attr)
}

// SetAttr changes nothing: a size is ignored, as by procfs (open with O_TRUNC
// sends one); owner, mode and times can't be changed.
func (t *Tree) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if s, key := t.below(in.NodeId); s != nil {
		return t.subtreeSetAttr(s, key, in, out)
	}
	n := t.nodes.node(in.NodeId)
	if n == nil {
		return fuse.Status(syscall.ESTALE)
	}
	if in.Valid&(fuse.FATTR_MODE|fuse.FATTR_UID|fuse.FATTR_GID) != 0 || in.Valid&fuse.FATTR_SIZE == 0 {
		return fuse.EPERM
	}
	t.attr(n, &out.Attr)
	if in.Valid&fuse.FATTR_FH == 0 && !permits(out.Mode, in.InHeader.Uid, mayWrite) {
		return fuse.EACCES
	}
	out.AttrValid = attrTimeout(n)
	return fuse.OK
}

// Open makes the number of a handle. Nothing is rendered or kept before somebody
// reads.
func (t *Tree) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if s, key := t.below(in.NodeId); s != nil {
		return t.subtreeOpen(s, key, in, out)
	}
	n := t.nodes.node(in.NodeId)
	if n == nil || n.file == nil {
		return fuse.Status(syscall.ESTALE)
	}
	if forWriting(in.Flags) && !permits(t.mode(n), in.Uid, mayWrite) {
		return fuse.EACCES
	}
	out.Fh = t.handles.create()
	if forWriting(in.Flags) {
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
	if s, key := t.below(in.NodeId); s != nil {
		return t.subtreeRead(s, key, in, buf)
	}
	n := t.nodes.node(in.NodeId)
	if n == nil || n.file == nil {
		return nil, fuse.Status(syscall.ESTALE)
	}
	h := t.handles.get(in.Fh, in.NodeId)
	if h == nil {
		return nil, fuse.EBADF
	}
	defer t.handles.put(h)
	count, err := t.handles.read(h, buf, in.Offset, t.render(n, in.Pid))
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

// Write fails as it does on a file of procfs that can't be written.
func (t *Tree) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	if s, key := t.below(in.NodeId); s != nil {
		return t.subtreeWrite(s, key, in, data)
	}
	if resource, ok := t.resource(t.nodes.node(in.NodeId)); ok {
		return t.writeTrigger(resource, in, data)
	}
	return 0, fuse.EIO
}

// OpenDir opens a directory.
func (t *Tree) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if s, _ := t.at(in.NodeId); s != nil {
		out.Fh = t.listings.create(t.epoch)
		return fuse.OK
	}
	if n := t.nodes.node(in.NodeId); n == nil || n.file != nil {
		return fuse.Status(syscall.ENOTDIR)
	}
	return fuse.OK
}

// ReadDir lists a directory from an offset: 0 is ".", 1 is "..", children from 2.
func (t *Tree) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	if s, key := t.at(in.NodeId); s != nil {
		return t.subtreeReadDir(s, key, in, out)
	}
	n := t.nodes.node(in.NodeId)
	if n == nil || n.file != nil {
		return fuse.Status(syscall.ENOTDIR)
	}
	parent := n
	if n.parent != nil {
		parent = n.parent
	}
	for i := in.Offset; i < uint64(len(n.children))+2; i++ {
		entry := fuse.DirEntry{Name: ".", Mode: syscall.S_IFDIR, Ino: uint64(n.index), Off: i + 1}
		switch {
		case i == 1:
			entry.Name, entry.Ino = "..", uint64(parent.index)
		case i > 1:
			c := n.children[i-2]
			entry.Name, entry.Ino, entry.Mode = c.name, uint64(c.index), mode(c)&syscall.S_IFMT
		}
		if !out.AddDirEntry(entry) {
			break
		}
	}
	return fuse.OK
}

// ReleaseDir closes a directory.
func (t *Tree) ReleaseDir(in *fuse.ReleaseIn) { t.listings.release(in.Fh) }

// StatFs answers as procfs does: no blocks, names of 255 bytes.
func (t *Tree) StatFs(_ <-chan struct{}, _ *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	out.Bsize, out.Frsize, out.NameLen = 4096, 4096, 255
	return fuse.OK
}

// render binds a node and a caller to the renderer.
func (t *Tree) render(n *node, tid uint32) rendering {
	return func(dst []byte) ([]byte, string, error) { return t.renderer.Append(dst, n.file, tid) }
}
