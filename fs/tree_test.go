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
func lookup(t testing.TB, tree *Tree, path string) fuse.EntryOut {
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

// A file is one inode, in every process: what is bound keeps its name.
func TestLookup(t *testing.T) {
	r, _ := testRenderer(t)
	for epoch := range uint32(3) {
		store := newMemoryStore()
		store.epoch = epoch + 1
		tree := NewTree(r, store)
		if a := lookup(t, tree, "proc/meminfo"); a.NodeId != 19 || a.Ino != 19 || a.EntryValid == 0 || a.AttrValid != 0 {
			t.Errorf("file: got %+v, want id 19, whose name is kept and whose attributes are not", a)
		}
		if a := lookup(t, tree, "proc"); a.NodeId != 2 || a.EntryValid == 0 || a.AttrValid == 0 {
			t.Errorf("directory: got %+v, want id 2, of which all is kept", a)
		}
	}
}

// What fills the page cache, which all containers share, is refused.
func TestNothingIsCached(t *testing.T) {
	pets := petMount(new(petTree))
	for path, tree := range map[string]*Tree{"proc/meminfo": testTree(t), petDir + "/file": pets} {
		header := fuse.InHeader{NodeId: lookup(t, tree, path).NodeId, Caller: fuse.Caller{Pid: 2}}
		var open fuse.OpenOut
		if status := tree.Open(nil, &fuse.OpenIn{InHeader: header}, &open); status != fuse.OK {
			t.Fatal(status)
		}
		in := fuse.ReadIn{InHeader: header, Fh: open.Fh, Size: 4096}
		if _, status := tree.Read(nil, &in, make([]byte, 4096)); status != fuse.EINVAL {
			t.Errorf("%s: read into the page cache: %v, want EINVAL", path, status)
		}
		in.ReadFlags = fuse.READ_LOCKOWNER
		if _, status := tree.Read(nil, &in, make([]byte, 4096)); status != fuse.OK {
			t.Errorf("%s: read: %v", path, status)
		}
	}
}

// The kernel checks no permissions.
func TestPermissions(t *testing.T) {
	const user, root = 1000, 0
	pets, own := petMount(new(petTree)), petMount(new(changeable))
	tree := testTree(t)
	for _, tt := range []struct {
		tree       *Tree
		path       string
		uid, want  uint32
		access     fuse.Status
		openStatus fuse.Status // O_RDONLY for want 4, else O_WRONLY
	}{
		{tree, "proc/meminfo", user, 4, fuse.OK, fuse.OK},
		{tree, "proc/meminfo", user, 2, fuse.EACCES, fuse.EACCES},
		{tree, "proc/meminfo", user, 6, fuse.EACCES, fuse.EACCES},
		{tree, "proc/meminfo", root, 2, fuse.OK, fuse.OK},
		{pets, petDir + "/file", user, 2, fuse.EACCES, fuse.EACCES},
		{own, petDir + "/file", user, 2, fuse.EACCES, fuse.OK}, // its own open says so
		{own, petDir + "/file", 7, 2, fuse.OK, fuse.OK},
	} {
		header := fuse.InHeader{NodeId: lookup(t, tt.tree, tt.path).NodeId, Caller: fuse.Caller{Owner: fuse.Owner{Uid: tt.uid}, Pid: 2}}
		if got := tt.tree.Access(nil, &fuse.AccessIn{InHeader: header, Mask: tt.want}); got != tt.access {
			t.Errorf("%s: access(%d) by %d: got %v, want %v", tt.path, tt.want, tt.uid, got, tt.access)
		}
		flags := uint32(syscall.O_WRONLY)
		if tt.want == 4 {
			flags = syscall.O_RDONLY
		}
		if got := tt.tree.Open(nil, &fuse.OpenIn{InHeader: header, Flags: flags}, &fuse.OpenOut{}); got != tt.openStatus {
			t.Errorf("%s: open(%d) by %d: got %v, want %v", tt.path, flags, tt.uid, got, tt.openStatus)
		}
		truncate := fuse.SetAttrIn{}
		truncate.InHeader, truncate.Valid = header, fuse.FATTR_SIZE
		if got := tt.tree.SetAttr(nil, &truncate, &fuse.AttrOut{}); tt.want != 4 && got != tt.access {
			t.Errorf("%s: truncate(2) by %d: got %v, want %v", tt.path, tt.uid, got, tt.access)
		}
	}
	for _, dir := range []string{"proc"} {
		header := fuse.InHeader{NodeId: lookup(t, tree, dir).NodeId, Caller: fuse.Caller{Owner: fuse.Owner{Uid: user}}}
		for want, status := range map[uint32]fuse.Status{1: fuse.OK, 5: fuse.OK, 2: fuse.EACCES} {
			if got := tree.Access(nil, &fuse.AccessIn{InHeader: header, Mask: want}); got != status {
				t.Errorf("%s: access(%d): got %v, want %v", dir, want, got, status)
			}
		}
	}
	if got := tree.Access(nil, &fuse.AccessIn{InHeader: fuse.InHeader{NodeId: 9999}}); got != fuse.Status(syscall.ESTALE) {
		t.Errorf("access to what is not there: %v, want ESTALE", got)
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
	result, status := tree.Read(nil, &fuse.ReadIn{InHeader: header, Fh: open.Fh, ReadFlags: fuse.READ_LOCKOWNER}, buf)
	if status != fuse.OK {
		t.Fatal(status)
	}
	if text, _ := result.Bytes(nil); string(text) != "MEMTOTAL\n" {
		t.Errorf("got %q", text)
	}
	var attr fuse.AttrOut
	in := fuse.GetAttrIn{InHeader: header}
	if status := tree.GetAttr(nil, &in, &attr); status != fuse.OK {
		t.Fatal(status)
	}
	if attr.Mtime != 1700000000 || attr.Mode != syscall.S_IFREG|0o444 {
		t.Errorf("attributes %+v", attr)
	}
	other := fuse.InHeader{NodeId: node | 1<<40, Caller: header.Caller}
	if _, status := tree.Read(nil, &fuse.ReadIn{InHeader: other, Fh: open.Fh, ReadFlags: fuse.READ_LOCKOWNER}, buf); status != fuse.EBADF {
		t.Errorf("handle of another node: %v, want EBADF", status)
	}
	tree.Release(nil, &fuse.ReleaseIn{InHeader: header, Fh: open.Fh})
	if len(tree.handles.known) != 0 {
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
