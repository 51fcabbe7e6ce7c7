package fs

import (
	"strings"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
)

func testTree(t *testing.T) *Tree {
	t.Helper()
	r, _ := testRenderer(t)
	return NewTree(r, newMemoryStore())
}

// lookup walks to a path and returns the entry of its last name.
func lookup(t *testing.T, tree *Tree, path string) fuse.EntryOut {
	t.Helper()
	out := fuse.EntryOut{NodeId: 1}
	for name := range strings.SplitSeq(path, "/") {
		in := fuse.InHeader{NodeId: out.NodeId}
		if status := tree.Lookup(nil, &in, name, &out); status != fuse.OK {
			t.Fatalf("lookup of %q in %q: %v", name, path, status)
		}
	}
	return out
}

// Each LOOKUP of a file is a new inode for the kernel, with its own pages; a
// directory is always the same.
func TestLookupNonce(t *testing.T) {
	tree := testTree(t)
	a, b := lookup(t, tree, "proc/meminfo"), lookup(t, tree, "proc/meminfo")
	if a.NodeId == b.NodeId {
		t.Errorf("node id %#x given twice", a.NodeId)
	}
	if a.Ino != b.Ino || a.EntryValid != 0 || a.AttrValid != 0 {
		t.Errorf("got %+v and %+v, want one inode number and no timeouts", a, b)
	}
	if c, d := lookup(t, tree, "proc"), lookup(t, tree, "proc"); c.NodeId != d.NodeId || c.EntryValid == 0 {
		t.Errorf("directory: got %+v and %+v", c, d)
	}
}

// Two processes never give the same node id.
func TestLookupNonceOfNextProcess(t *testing.T) {
	r, _ := testRenderer(t)
	seen := make(map[uint64]uint32)
	for epoch := range uint32(4) {
		store := newMemoryStore()
		store.epoch = epoch + 1
		tree := NewTree(r, store)
		for range 10 {
			id := lookup(t, tree, "proc/meminfo").NodeId
			if other, taken := seen[id]; taken {
				t.Fatalf("node id %#x given in epochs %d and %d", id, other, epoch)
			}
			seen[id] = epoch
		}
	}
}

func TestTreeReads(t *testing.T) {
	tree := testTree(t)
	node := lookup(t, tree, "proc/meminfo").NodeId
	header := fuse.InHeader{NodeId: node, Caller: fuse.Caller{Pid: 2}}
	var open fuse.OpenOut
	if status := tree.Open(nil, &fuse.OpenIn{InHeader: header}, &open); status != fuse.OK {
		t.Fatal(status)
	}
	if open.OpenFlags != fuse.FOPEN_DIRECT_IO|fuse.FOPEN_NOFLUSH {
		t.Errorf("open flags %#x", open.OpenFlags)
	}
	buf := make([]byte, 100)
	result, status := tree.Read(nil, &fuse.ReadIn{InHeader: header, Fh: open.Fh}, buf)
	if status != fuse.OK {
		t.Fatal(status)
	}
	if text, _ := result.Bytes(nil); string(text) != "MEMTOTAL\n" {
		t.Errorf("got %q", text)
	}
	var attr fuse.AttrOut
	in := fuse.GetAttrIn{InHeader: header, Flags_: fuse.FUSE_GETATTR_FH, Fh_: open.Fh}
	if status := tree.GetAttr(nil, &in, &attr); status != fuse.OK || attr.Size != 9 {
		t.Errorf("size with a handle: %d, %v, want 9", attr.Size, status)
	}
	in.Flags_ = 0
	if status := tree.GetAttr(nil, &in, &attr); status != fuse.OK || attr.Size != minSize || attr.Blksize != minSize {
		t.Errorf("size without: %d, block size %d, %v", attr.Size, attr.Blksize, status)
	}
	if attr.Mtime != 1700000000 || attr.Mode != syscall.S_IFREG|0o444 {
		t.Errorf("attributes %+v", attr)
	}
	other := fuse.InHeader{NodeId: lookup(t, tree, "proc/meminfo").NodeId, Caller: header.Caller}
	if _, status := tree.Read(nil, &fuse.ReadIn{InHeader: other, Fh: open.Fh}, buf); status != fuse.EBADF {
		t.Errorf("handle of another node: %v, want EBADF", status)
	}
	tree.Release(nil, &fuse.ReleaseIn{InHeader: header, Fh: open.Fh})
	if len(tree.handles.open) != 0 {
		t.Error("handle left after release")
	}
}

func TestTreeRefuses(t *testing.T) {
	tree := testTree(t)
	node := lookup(t, tree, "proc/meminfo").NodeId
	for name, got := range map[string]fuse.Status{
		"mkdir":   tree.Mkdir(nil, &fuse.MkdirIn{}, "x", nil),
		"unlink":  tree.Unlink(nil, &fuse.InHeader{}, "x"),
		"chmod":   tree.SetAttr(nil, &fuse.SetAttrIn{SetAttrInCommon: fuse.SetAttrInCommon{InHeader: fuse.InHeader{NodeId: node}, Valid: fuse.FATTR_MODE}}, &fuse.AttrOut{}),
		"utimes":  tree.SetAttr(nil, &fuse.SetAttrIn{SetAttrInCommon: fuse.SetAttrInCommon{InHeader: fuse.InHeader{NodeId: node}, Valid: fuse.FATTR_MTIME}}, &fuse.AttrOut{}),
		"create":  tree.Create(nil, &fuse.CreateIn{}, "x", nil),
		"symlink": tree.Symlink(nil, &fuse.InHeader{}, "x", "y", nil),
	} {
		if got != fuse.EPERM {
			t.Errorf("%s: %v, want EPERM", name, got)
		}
	}
	truncate := fuse.SetAttrIn{SetAttrInCommon: fuse.SetAttrInCommon{InHeader: fuse.InHeader{NodeId: node}, Valid: fuse.FATTR_SIZE}}
	if got := tree.SetAttr(nil, &truncate, &fuse.AttrOut{}); got != fuse.OK {
		t.Errorf("truncate: %v, want it ignored", got)
	}
	var out fuse.EntryOut
	for name, in := range map[string]uint64{"absent": 1, "..": 1, "": 1} {
		if got := tree.Lookup(nil, &fuse.InHeader{NodeId: in}, name, &out); got != fuse.ENOENT {
			t.Errorf("lookup of %q: %v, want ENOENT", name, got)
		}
	}
	if got := tree.Lookup(nil, &fuse.InHeader{NodeId: node}, "x", &out); got != fuse.Status(syscall.ENOTDIR) {
		t.Errorf("lookup below a file: %v", got)
	}
	if got := tree.GetAttr(nil, &fuse.GetAttrIn{InHeader: fuse.InHeader{NodeId: 9999}}, &fuse.AttrOut{}); got != fuse.Status(syscall.ESTALE) {
		t.Errorf("unknown node: %v", got)
	}
}
