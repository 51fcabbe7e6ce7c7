package fs

import (
	"encoding/binary"
	"errors"
	"fmt"
	iofs "io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// petTree is a mounted tree with a directory 1, which holds a file 2 and a link 3.
// It notes what it is asked to change.
type petTree struct {
	callers []vfs.Caller
	did     []string
}

func petAttr(key vfs.Key) vfs.Attr {
	switch key {
	case 2:
		return vfs.Attr{Ino: 102, Mode: syscall.S_IFREG | 0o640, UID: 7, Size: 3}
	case 3:
		return vfs.Attr{Ino: 103, Mode: syscall.S_IFLNK | 0o777, Size: 4}
	}
	return vfs.Attr{Ino: 100 + uint64(key), Mode: syscall.S_IFDIR | 0o750, UID: 7, GID: 8}
}

func (p *petTree) Lookup(c vfs.Caller, dir vfs.Key, name string) (vfs.Key, vfs.Attr, error) {
	p.callers = append(p.callers, c)
	switch fmt.Sprint(dir, name) {
	case "0dir":
		return 1, petAttr(1), nil
	case "1file":
		return 2, petAttr(2), nil
	case "1link":
		return 3, petAttr(3), nil
	case "1odd":
		return 4, petAttr(2), nil
	case "1gone":
		return 5, petAttr(2), nil
	case "1broken":
		return 6, petAttr(2), nil
	case "1refused":
		return 7, petAttr(2), nil
	}
	return 0, vfs.Attr{}, fmt.Errorf("%s: %w", name, syscall.ENOENT)
}

func (p *petTree) Attr(_ vfs.Caller, key vfs.Key) (vfs.Attr, error) {
	return petAttr(key), nil
}

func (p *petTree) List(_ vfs.Caller, key vfs.Key) ([]vfs.Entry, error) {
	if key == vfs.Top {
		return []vfs.Entry{{Name: "dir", Ino: 101, Mode: syscall.S_IFDIR}, {Name: "online", Ino: 9, Mode: syscall.S_IFREG}}, nil
	}
	p.did = append(p.did, "list")
	var entries []vfs.Entry
	for i := range 300 {
		entries = append(entries, vfs.Entry{Name: fmt.Sprint("name-", i, "-", len(p.did)), Ino: 1, Mode: syscall.S_IFREG})
	}
	return entries, nil
}

func (p *petTree) Open(_ vfs.Caller, _ vfs.Key, flags uint32) error {
	if flags&syscall.O_ACCMODE == syscall.O_RDWR {
		return syscall.EACCES
	}
	return nil
}

func (p *petTree) Append(dst []byte, c vfs.Caller, key vfs.Key) ([]byte, error) {
	switch key {
	case 4:
		err := fmt.Errorf("line 1: %w", cgroup.ErrFormat)
		return append(dst, "the host's"...), fmt.Errorf("%w", &vfs.Fallback{Path: "/" + petDir + "/odd", Err: err})
	case 5:
		return dst, syscall.ENODEV
	case 6:
		return dst, errors.New("broken")
	case 7: // as the host's
		return dst, &iofs.PathError{Op: "read", Path: "/" + petDir + "/refused", Err: syscall.EIO}
	}
	return fmt.Appendf(dst, "%d for %d", key, c.TID), nil
}

func (p *petTree) Target(vfs.Caller, vfs.Key) (string, error) { return "file", nil }

// changeable adds all changes.
type changeable struct{ petTree }

func (p *changeable) Open(vfs.Caller, vfs.Key, uint32) error { return nil }

func (p *changeable) note(format string, args ...any) {
	p.did = append(p.did, fmt.Sprintf(format, args...))
}

func (p *changeable) Write(_ vfs.Caller, key vfs.Key, off uint64, data []byte) (int, error) {
	p.note("write %d %d %s", key, off, data)
	return len(data), nil
}

func (p *changeable) Change(_ vfs.Caller, key vfs.Key, c vfs.Change) (vfs.Attr, error) {
	p.note("change %d %o", key, *c.Mode)
	return petAttr(key), nil
}

func (p *changeable) Mkdir(c vfs.Caller, key vfs.Key, name string, mode uint32) (vfs.Key, vfs.Attr, error) {
	p.note("mkdir %d %s %o %v", key, name, mode, c.Replayed)
	return 1, petAttr(1), nil
}

func (p *changeable) Access(c vfs.Caller, key vfs.Key, want uint32) error {
	if c.UID != 7 && want&mayWrite != 0 {
		return syscall.EACCES
	}
	return nil
}

var _ vfs.Mutable = (*changeable)(nil)

func (p *changeable) Rmdir(c vfs.Caller, key vfs.Key, name string) error {
	p.note("rmdir %d %s %v", key, name, c.Replayed)
	return syscall.EBUSY
}

func petMount(tree vfs.Tree) *Tree { return petMountReporting(tree, nil) }

func petMountReporting(tree vfs.Tree, report func(Fallback)) *Tree {
	r := NewRenderer(Config{FS: archive("/sys/devices/system/cpu/online", "0\n"), Resolver: resolver{}, Switches: new(Switches), Report: report},
		[]view.File{{Path: "/sys/devices/system/cpu/online", Append: upper}})
	return NewTree(r, newMemoryStore(),
		vfs.Mount{Path: "/sys/devices/system/cpu", KeyBits: 32, Tree: tree},
		vfs.Mount{Path: "/cgroup", KeyBits: 44, Tree: tree},
		vfs.Mount{Path: "/elsewhere", KeyBits: 8, Tree: tree})
}

const petDir = "sys/devices/system/cpu/dir"

// Names of the table win; the others are the mounted tree's, which learns who asks.
func TestMountedLookup(t *testing.T) {
	p := new(petTree)
	tree := petMount(p)
	if e := lookup(t, tree, "sys/devices/system/cpu/online"); e.NodeId&treeBit != 0 || e.Ino != 40 {
		t.Errorf("file of the table: %+v", e)
	}
	a, b := lookup(t, tree, petDir+"/file"), lookup(t, tree, petDir+"/file")
	if a.NodeId != b.NodeId || a.EntryValid != 0 || a.AttrValid != 0 || a.Size != minSize || a.Blksize != minSize || a.Owner.Uid != 7 {
		t.Errorf("file: %+v and %+v, want one inode, no timeouts and a size above any content", a, b)
	}
	if c, d := lookup(t, tree, petDir), lookup(t, tree, petDir); c.NodeId != d.NodeId || c.EntryValid != 0 || c.Mode != syscall.S_IFDIR|0o750 || c.Nlink != 2 {
		t.Errorf("directory: %+v and %+v", c, d)
	}
	if c, d := lookup(t, tree, petDir), lookup(t, tree, "cgroup/dir"); c.NodeId == d.NodeId {
		t.Errorf("one id %#x in two trees", c.NodeId)
	}
	h := fuse.InHeader{NodeId: lookup(t, tree, petDir).NodeId, Caller: fuse.Caller{Owner: fuse.Owner{Uid: 5, Gid: 6}, Pid: 9}}
	if got := tree.Lookup(nil, &h, "none", &fuse.EntryOut{}); got != fuse.ENOENT {
		t.Errorf("unknown name: %v", got)
	}
	if got, want := p.callers[len(p.callers)-1], (vfs.Caller{UID: 5, GID: 6, TID: 9}); got != want {
		t.Errorf("caller %+v, want %+v", got, want)
	}
	if got := tree.Lookup(nil, &fuse.InHeader{NodeId: 1}, "elsewhere", &fuse.EntryOut{}); got != fuse.ENOENT {
		t.Errorf("tree without a number: %v", got)
	}
}

// Every process gives the same ids, and knows those of earlier versions, which
// had something above the key.
func TestMountedIDs(t *testing.T) {
	unserved := NewTree(NewRenderer(Config{FS: archive(), Resolver: resolver{}, Switches: new(Switches)}, nil), newMemoryStore())
	for top, want := range map[string]uint64{petDir: 1<<63 | 2, "cgroup/dir": 1<<63 | 2<<60 | 2} {
		for epoch := range uint32(3) {
			r := NewRenderer(Config{FS: archive(), Resolver: resolver{}, Switches: new(Switches)}, nil)
			store := newMemoryStore()
			store.epoch = epoch
			tree := NewTree(r, store,
				vfs.Mount{Path: "/sys/devices/system/cpu", KeyBits: 32, Tree: new(petTree)},
				vfs.Mount{Path: "/cgroup", KeyBits: 44, Tree: new(petTree)})
			if id := lookup(t, tree, top+"/file").NodeId; id != want {
				t.Fatalf("%s: id %#x, want %#x", top, id, want)
			}
			for _, old := range []uint64{want, want | 1<<59, want | 1<<45} {
				if p := tree.at(old); p.mounted == tree.root || p.key != 2 {
					t.Fatalf("%s: id %#x is taken for key %d", top, old, p.key)
				}
			}
		}
		if got := unserved.GetAttr(nil, &fuse.GetAttrIn{InHeader: fuse.InHeader{NodeId: want}}, &fuse.AttrOut{}); got != fuse.Status(syscall.ESTALE) {
			t.Fatalf("GETATTR where the tree is not served: %v, want ESTALE", got)
		}
	}
}

func TestMountedReads(t *testing.T) {
	tree := petMount(new(petTree))
	header := fuse.InHeader{NodeId: lookup(t, tree, petDir+"/file").NodeId, Caller: fuse.Caller{Pid: 12}}
	var open fuse.OpenOut
	if got := tree.Open(nil, &fuse.OpenIn{InHeader: header, Flags: syscall.O_RDWR}, &open); got != fuse.EACCES {
		t.Errorf("open for writing: %v", got)
	}
	if got := tree.Open(nil, &fuse.OpenIn{InHeader: header}, &open); got != fuse.OK || open.OpenFlags != fuse.FOPEN_DIRECT_IO|fuse.FOPEN_NOFLUSH {
		t.Fatalf("open: %v, flags %#x", got, open.OpenFlags)
	}
	buf := make([]byte, 4)
	text := ""
	for off := uint64(0); ; off += 4 {
		result, got := tree.Read(nil, &fuse.ReadIn{InHeader: header, Fh: open.Fh, Offset: off, ReadFlags: fuse.READ_LOCKOWNER}, buf)
		if got != fuse.OK {
			t.Fatal(got)
		}
		part, _ := result.Bytes(nil)
		if text += string(part); len(part) < 4 {
			break
		}
	}
	if text != "2 for 12" {
		t.Errorf("read %q", text)
	}
	var counted uint64
	for _, s := range tree.Stats() {
		if strings.HasSuffix(s.Path, "/") && s.InFlight == 0 {
			counted += s.Requests
		}
	}
	if counted != 1 {
		t.Errorf("%d renderings counted, want one", counted)
	}
	link := fuse.InHeader{NodeId: lookup(t, tree, petDir+"/link").NodeId}
	if target, got := tree.Readlink(nil, &link); got != fuse.OK || string(target) != "file" {
		t.Errorf("readlink: %q, %v", target, got)
	}
	if _, got := tree.Readlink(nil, &fuse.InHeader{NodeId: 40}); got != fuse.EINVAL {
		t.Errorf("readlink of a file of the table: %v", got)
	}
}

// readAll opens a path and reads it for the thread 12.
func readAll(t *testing.T, tree *Tree, path string) (string, fuse.Status) {
	t.Helper()
	header := fuse.InHeader{NodeId: lookup(t, tree, path).NodeId, Caller: fuse.Caller{Pid: 12}}
	var open fuse.OpenOut
	if got := tree.Open(nil, &fuse.OpenIn{InHeader: header}, &open); got != fuse.OK {
		t.Fatal(path, got)
	}
	buf := make([]byte, 64)
	result, got := tree.Read(nil, &fuse.ReadIn{InHeader: header, Fh: open.Fh, ReadFlags: fuse.READ_LOCKOWNER}, buf)
	if got != fuse.OK {
		return "", got
	}
	text, _ := result.Bytes(buf)
	return string(text), got
}

// A file below a mounted tree that can't be made for a caller is the host's, counted
// and reported as one of the table. Any other error is the caller's answer; EIO is
// counted as an error, unless the host's file has it, too.
func TestMountedFallsBack(t *testing.T) {
	var said []string
	report := func(f Fallback) { said = append(said, fmt.Sprint(f.Path, " ", f.TID, ": ", f.Err)) }
	tree := petMountReporting(new(petTree), report)
	for _, tt := range []struct {
		name, want string
		status     fuse.Status
	}{{"file", "2 for 12", fuse.OK}, {"odd", "the host's", fuse.OK}, {"gone", "", fuse.Status(syscall.ENODEV)}, {"broken", "", fuse.EIO}, {"refused", "", fuse.EIO}} {
		if got, status := readAll(t, tree, petDir+"/"+tt.name); got != tt.want || status != tt.status {
			t.Errorf("%s: got %q, %v, want %q, %v", tt.name, got, status, tt.want, tt.status)
		}
	}
	if want := "/" + petDir + "/odd 12: line 1: " + cgroup.ErrFormat.Error(); !slices.Equal(said, []string{want}) {
		t.Errorf("reported %q, want %q", said, want)
	}
	for _, s := range tree.Stats() {
		switch {
		case s.Path != "/sys/devices/system/cpu/" && s.Requests+s.FellBack()+s.Errors > 0:
			t.Errorf("counted elsewhere: %+v", s)
		case s.Path == "/sys/devices/system/cpu/" && (s.Requests != 5 || s.FellBack() != 1 || s.Fallbacks["format"] != 1 || s.Errors != 1):
			t.Errorf("got %+v, want 5 requests, 1 fallback for its format and 1 error", s)
		}
	}
	if got, err := tree.Show("/"+petDir+"/odd", 12); string(got) != "the host's" || err != nil {
		t.Errorf("shown: %q, %v", got, err)
	}
}

// What can be changed has no host's text to fall back to: who asks decides what
// may be read there.
func TestMutableNeverFallsBack(t *testing.T) {
	if got, status := readAll(t, petMount(new(changeable)), petDir+"/odd"); got != "" || status != fuse.EIO {
		t.Errorf("got %q, %v, want EIO", got, status)
	}
}

// A view that can't be had is counted where its file is, or below which it is.
func TestViewFallsBack(t *testing.T) {
	tree := petMount(new(petTree))
	tree.renderer.Resolver = resolver{}
	for _, path := range []string{"/sys/devices/system/cpu", "/" + petDir + "/file", "/sys/devices/system/cpu/online", "/elsewhere"} {
		if contained, err := tree.renderer.View(path, vfs.Caller{TID: 12}, view.NeedCPUs, new(view.View)); contained || err != nil {
			t.Errorf("%s: a view of nobody", path)
		}
	}
	got := make(map[string]uint64)
	for _, s := range tree.Stats() {
		got[s.Path] = s.FellBack()
	}
	if got["/sys/devices/system/cpu/"] != 2 || got["/sys/devices/system/cpu/online"] != 1 {
		t.Errorf("got %v, want 2 below cpu, 1 of online", got)
	}
}

// names reads an open directory to the end, in answers of 512 bytes.
func names(t *testing.T, tree *Tree, node uint64) []string {
	t.Helper()
	var open fuse.OpenOut
	if got := tree.OpenDir(nil, &fuse.OpenIn{InHeader: fuse.InHeader{NodeId: node}}, &open); got != fuse.OK {
		t.Fatal(got)
	}
	defer tree.ReleaseDir(&fuse.ReleaseIn{InHeader: fuse.InHeader{NodeId: node}, Fh: open.Fh})
	var all []string
	for {
		buf := make([]byte, 512)
		in := fuse.ReadIn{InHeader: fuse.InHeader{NodeId: node}, Fh: open.Fh, Offset: uint64(len(all))}
		if got := tree.ReadDir(nil, &in, fuse.NewDirEntryList(buf, in.Offset)); got != fuse.OK {
			t.Fatal(got)
		}
		before := len(all)
		all = append(all, direntNames(buf)...)
		if len(all) == before {
			return all
		}
	}
}

// direntNames parses struct fuse_dirent: ino u64, off u64, namelen u32, type
// u32, name, padding to 8 bytes.
func direntNames(buf []byte) []string {
	var all []string
	for len(buf) >= 24 {
		n := int(binary.NativeEndian.Uint32(buf[16:])) // fuse_dirent
		if n == 0 {
			break
		}
		all = append(all, string(buf[24:24+n]))
		buf = buf[(24+n+7)&^7:]
	}
	return all
}

func TestMountedReadDir(t *testing.T) {
	p := new(petTree)
	tree := petMount(p)
	if got, want := names(t, tree, 6), []string{".", "..", "online", "dir"}; !slices.Equal(got, want) {
		t.Errorf("top: got %q, want %q", got, want)
	}
	got := names(t, tree, lookup(t, tree, petDir).NodeId)
	if len(got) != 302 || got[2] != "name-0-1" || got[301] != "name-299-1" {
		t.Errorf("%d names, %q to %q: want those of one listing", len(got), got[2], got[len(got)-1])
	}
	if n := len(tree.listings.open); n != 0 {
		t.Errorf("%d listings left behind", n)
	}
}

func TestMountedChanges(t *testing.T) {
	p := new(changeable)
	tree := petMount(p)
	tree.SetReplayed(func(unique uint64) bool { return unique == 77 })
	dir, file := lookup(t, tree, petDir).NodeId, lookup(t, tree, petDir+"/file").NodeId
	chmod := fuse.SetAttrIn{SetAttrInCommon: fuse.SetAttrInCommon{InHeader: fuse.InHeader{NodeId: file}, Valid: fuse.FATTR_MODE, Mode: 0o100600}}
	for _, tt := range []struct {
		name      string
		got, want fuse.Status
	}{
		{"mkdir", tree.Mkdir(nil, &fuse.MkdirIn{InHeader: fuse.InHeader{NodeId: dir, Unique: 77}, Mode: 0o40755}, "new", &fuse.EntryOut{}), fuse.OK},
		{"mkdir at the top", tree.Mkdir(nil, &fuse.MkdirIn{InHeader: fuse.InHeader{NodeId: 6}, Mode: 0o700}, "new", &fuse.EntryOut{}), fuse.OK},
		{"mkdir of a name of the table", tree.Mkdir(nil, &fuse.MkdirIn{InHeader: fuse.InHeader{NodeId: 6}}, "online", &fuse.EntryOut{}), fuse.EPERM},
		{"rmdir", tree.Rmdir(nil, &fuse.InHeader{NodeId: dir, Unique: 77}, "new"), fuse.EBUSY},
		{"chmod", tree.SetAttr(nil, &chmod, &fuse.AttrOut{}), fuse.OK},
		{"rename", tree.Rename(nil, &fuse.RenameIn{InHeader: fuse.InHeader{NodeId: dir}}, "a", "b"), fuse.EPERM},
		{"unlink", tree.Unlink(nil, &fuse.InHeader{NodeId: dir}, "file"), fuse.EPERM},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	var open fuse.OpenOut
	if got := tree.Open(nil, &fuse.OpenIn{InHeader: fuse.InHeader{NodeId: file}, Flags: syscall.O_WRONLY}, &open); got != fuse.OK {
		t.Fatal(got)
	}
	if n, got := tree.Write(nil, &fuse.WriteIn{InHeader: fuse.InHeader{NodeId: file}, Fh: open.Fh, Offset: 3, Size: 3}, []byte("12")); n != 0 || got != fuse.EAGAIN {
		t.Errorf("got %d, %v for data that was cut, want EAGAIN", n, got)
	}
	if n, got := tree.Write(nil, &fuse.WriteIn{InHeader: fuse.InHeader{NodeId: file}, Fh: open.Fh, Size: vfs.MaxWrite}, []byte("12")); n != 0 || got != fuse.Status(syscall.E2BIG) {
		t.Errorf("got %d, %v for data that is too long in any case, want E2BIG", n, got)
	}
	if n, got := tree.Write(nil, &fuse.WriteIn{InHeader: fuse.InHeader{NodeId: file}, Fh: open.Fh, Offset: 3, Size: 2}, []byte("12")); n != 2 || got != fuse.OK {
		t.Errorf("write: %d, %v", n, got)
	}
	want := "mkdir 1 new 755 true; mkdir 0 new 700 false; rmdir 1 new true; change 2 600; write 2 3 12"
	if got := strings.Join(p.did, "; "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A mounted tree that can't be changed says EPERM to all changes, and ignores a size.
func TestMountedReadOnly(t *testing.T) {
	tree := petMount(new(petTree))
	dir, file := lookup(t, tree, petDir).NodeId, lookup(t, tree, petDir+"/file").NodeId
	set := func(valid uint32) fuse.Status {
		return tree.SetAttr(nil, &fuse.SetAttrIn{SetAttrInCommon: fuse.SetAttrInCommon{InHeader: fuse.InHeader{NodeId: file}, Valid: valid}}, &fuse.AttrOut{})
	}
	for name, got := range map[string]fuse.Status{
		"mkdir": tree.Mkdir(nil, &fuse.MkdirIn{InHeader: fuse.InHeader{NodeId: dir}}, "x", nil),
		"rmdir": tree.Rmdir(nil, &fuse.InHeader{NodeId: dir}, "x"),
		"chmod": set(fuse.FATTR_MODE), "chown": set(fuse.FATTR_UID), "utimes": set(fuse.FATTR_MTIME),
	} {
		if got != fuse.EPERM {
			t.Errorf("%s: %v, want EPERM", name, got)
		}
	}
	if got := set(fuse.FATTR_SIZE); got != fuse.OK {
		t.Errorf("truncate: %v, want it ignored", got)
	}
	if _, got := tree.Write(nil, &fuse.WriteIn{InHeader: fuse.InHeader{NodeId: file}}, nil); got != fuse.EIO {
		t.Errorf("write: %v, want EIO", got)
	}
}

// All files are listed, those of the table, too; a mounted tree that can be changed has
// none that are the same for everybody.
func TestPaths(t *testing.T) {
	r, _ := testRenderer(t)
	pets := new(petTree)
	tree := NewTree(r, newMemoryStore(), vfs.Mount{Path: "/sys/block", KeyBits: 8, Tree: pets})
	paths := tree.Paths(7)
	if !slices.IsSorted(paths) {
		t.Errorf("not in order: %q", paths)
	}
	for _, want := range []string{"/proc/meminfo", "/sys/block/online", "/sys/block/dir/name-0-1", "/sys/block/dir/name-299-1"} {
		if !slices.Contains(paths, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if slices.Contains(paths, "/sys/block/dir") || pets.callers[0].TID != 7 {
		t.Errorf("a directory is listed, or for another caller: %q, %+v", paths, pets.callers)
	}
	mutable := NewTree(r, newMemoryStore(), vfs.Mount{Path: "/cgroup", KeyBits: 8, Tree: new(changeable)})
	for _, path := range mutable.Paths(7) {
		if strings.HasPrefix(path, "/cgroup") {
			t.Errorf("%s of a tree that can be changed is listed", path)
		}
	}
}

// asked is a resolver that counts how often it is asked.
type asked struct {
	resolver
	times *int
}

func (a asked) Resolve(tid uint32) (container.Decision, error) {
	*a.times++
	return a.resolver.Resolve(tid)
}

// sysTree is a tree that looks whose its content is, as that of /sys does.
type sysTree struct {
	petTree
	view func(string, vfs.Caller, view.Needs, *view.View) (bool, error)
}

func (s *sysTree) Append(dst []byte, c vfs.Caller, _ vfs.Key) ([]byte, error) {
	contained, err := s.view("/"+petDir+"/file", c, view.NeedCPUs, new(view.View))
	return fmt.Appendf(dst, "contained: %v", contained), err
}

// Of every file a read asks once who reads, and counts as one of his container.
func TestReadsResolveOnce(t *testing.T) {
	pets := new(sysTree)
	tree := petMount(pets)
	pets.view = tree.renderer.View
	box := &container.Container{Name: "good", InitPID: 1}
	var times int
	tree.renderer.Resolver = asked{resolver{12: {Container: box}}, &times}
	tree.renderer.Gatherer = gatherer{}
	for i, path := range []string{"sys/devices/system/cpu/online", petDir + "/file"} {
		times = 0
		if text, status := readAll(t, tree, path); status != fuse.OK || text == "" || text == "contained: false" {
			t.Errorf("%s: %q, %v", path, text, status)
		}
		if times != 1 || box.Reads() != uint64(i+1) {
			t.Errorf("%s: the resolver was asked %d times, %d reads are counted", path, times, box.Reads())
		}
	}
}

// Directories of the table are listed as those of any tree. What an earlier version
// opened, under the number 0 each, is not taken for another.
func TestTableReadDir(t *testing.T) {
	tree := petMount(new(petTree))
	for id, want := range map[uint64][]string{
		1: {".", "..", "cgroup", "sys"}, 5: {".", "..", "cpu"},
	} {
		if got := names(t, tree, id); !slices.Equal(got, want) {
			t.Errorf("%d: got %q, want %q", id, got, want)
		}
	}
	for _, id := range []uint64{1, 5} {
		in := fuse.ReadIn{InHeader: fuse.InHeader{NodeId: id}}
		if got := tree.ReadDir(nil, &in, fuse.NewDirEntryList(make([]byte, 30), 0)); got != fuse.OK {
			t.Fatal(got)
		}
	}
	buf := make([]byte, 512)
	in := fuse.ReadIn{InHeader: fuse.InHeader{NodeId: 1}, Offset: 2}
	if tree.ReadDir(nil, &in, fuse.NewDirEntryList(buf, 2)); !slices.Equal(direntNames(buf), []string{"cgroup", "sys"}) {
		t.Errorf("read on: got %q", direntNames(buf))
	}
	for id, want := range map[uint64][2]uint64{1: {1, 1}, 5: {5, 4}, 6: {6, 5}} { // ino of "." and ".."
		buf := make([]byte, 512)
		tree.ReadDir(nil, &fuse.ReadIn{InHeader: fuse.InHeader{NodeId: id}}, fuse.NewDirEntryList(buf, 0))
		if self, above := binary.NativeEndian.Uint64(buf), binary.NativeEndian.Uint64(buf[32:]); [2]uint64{self, above} != want {
			t.Errorf("%d: got %d and %d, want %v", id, self, above, want)
		}
	}
	if got := tree.ReadDir(nil, &fuse.ReadIn{InHeader: fuse.InHeader{NodeId: 40}}, fuse.NewDirEntryList(buf, 0)); got != fuse.Status(syscall.ENOTDIR) {
		t.Errorf("a file: %v, want ENOTDIR", got)
	}
}
