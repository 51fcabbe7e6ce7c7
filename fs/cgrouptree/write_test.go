package cgrouptree

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

func TestProcessLists(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		caller     uint32
		name, want string
	}{
		{1001, "/box/cgroup.procs", "1 9 40"},
		{1001, "/box/app/cgroup.procs", "7"},
		{1001, "/box/in/cgroup.procs", "20 21"},
		{1101, "/box/in/cgroup.procs", "1 2"},
		{1700, "/box/cgroup.procs", "1 9 40"}, // by lxc-attach
		{2001, "/other/sub/cgroup.procs", ""}, // of another namespace
		{1, "/box/in/cgroup.procs", "1100 1101"},
	} {
		for _, h := range []string{"memory", "unified"} {
			text, err := w.tree.Append([]byte("x\n"), w.caller(tt.caller), w.mustWalk(tt.caller, h+tt.name))
			if got := strings.Join(strings.Fields(string(text))[1:], " "); err != nil || got != tt.want {
				t.Errorf("%d reads %s%s: got %q, %v, want %q", tt.caller, h, tt.name, got, err, tt.want)
			}
		}
	}
	text, err := w.tree.Append(nil, w.caller(1001), w.mustWalk(1001, "memory/box/app/tasks"))
	if err != nil || string(text) != "8\n" {
		t.Errorf("tasks: got %q, %v", text, err)
	}
}

// moved writes to a list in the cgroup /box/app/deep, which is empty at first, and returns
// what arrived there.
func (w *world) moved(caller uint32, file, text string) (string, error) {
	w.t.Helper()
	name := "box/app/deep/" + file[strings.IndexByte(file, '/')+1:]
	h := file[:strings.IndexByte(file, '/')]
	if err := os.WriteFile(w.path(h, name), nil, 0o644); err != nil {
		w.t.Fatal(err)
	}
	key := w.mustWalk(1001, h+"/"+name)
	_, err := w.tree.Write(w.caller(caller), key, 0, []byte(text))
	got, rerr := os.ReadFile(w.path(h, name))
	if rerr != nil {
		w.t.Fatal(rerr)
	}
	return string(got), err
}

func TestMove(t *testing.T) {
	w := newWorld(t)
	const userns = "0 100000 65536\n"
	w.add(proc{pid: 1010, ppid: 1000, ns: "60", cgroup: "/box", uid: 100000, userns: userns, caps: allCaps})
	w.add(proc{pid: 1011, ppid: 1010, ns: "61", cgroup: "/box", uid: 100007, userns: userns})
	w.add(proc{pid: 1012, ppid: 1010, ns: "62", cgroup: "/box", uid: 100008, userns: userns})
	for _, h := range []string{"memory", "unified"} {
		for _, name := range []string{"", "/app", "/app/deep"} {
			for _, f := range []string{"/cgroup.procs", "/tasks"} {
				os.Chmod(w.path(h, "box"+name+f), 0o666)
			}
		}
	}
	for _, tt := range []struct {
		name   string
		caller uint32
		file   string
		text   string
		want   string
		err    error
	}{
		{"the writer", 1000, "cgroup.procs", "0\n", "1000", nil},
		{"itself by number", 1000, "cgroup.procs", "1", "1000", nil},
		{"a process", 1000, "cgroup.procs", "7\n", "1001", nil},
		{"a process, blanks", 1000, "cgroup.procs", " 7 \n", "1001", nil},
		{"a process of a namespace in its", 1000, "cgroup.procs", "21", "1101", nil},
		{"one that came from outside", 1000, "cgroup.procs", "40", "1700", nil},
		{"by one that came from outside", 1700, "cgroup.procs", "7", "1001", nil},
		{"a thread", 1000, "tasks", "8", "1501", nil},
		{"a number of the host", 1000, "cgroup.procs", "1001", "", syscall.ESRCH},
		{"a number of another namespace", 1000, "cgroup.procs", "30", "", syscall.ESRCH},
		{"one of its namespace in a cgroup outside", 1000, "cgroup.procs", "50", "", syscall.ESRCH},
		{"by one in a cgroup outside", 1800, "cgroup.procs", "0", "", syscall.ENOENT},
		{"not a number", 1000, "cgroup.procs", "x", "", syscall.EINVAL},
		{"negative", 1000, "cgroup.procs", "-7", "", syscall.EINVAL},
		{"too large", 1000, "cgroup.procs", "4294967296", "", syscall.EINVAL},
		{"nothing", 1000, "cgroup.procs", "", "", syscall.EINVAL},
		{"two", 1000, "cgroup.procs", "7\n9\n", "", syscall.EINVAL},
		{"by another container", 2001, "cgroup.procs", "0", "", syscall.ENOENT},
		{"by the host", 1, "cgroup.procs", "1001", "", syscall.EPERM},
		{"by root of a user namespace", 1010, "cgroup.procs", "61", "1011", nil},
		{"by a user, its own", 1011, "cgroup.procs", "61", "1011", nil},
	} {
		for _, h := range []string{"memory/", "unified/"} {
			if tt.file == "tasks" && h == "unified/" {
				continue
			}
			t.Run(h+tt.name, func(t *testing.T) {
				got, err := w.moved(tt.caller, h+tt.file, tt.text)
				if got != tt.want || !errors.Is(err, tt.err) || tt.err == nil && err != nil {
					t.Errorf("got %q, %v, want %q, %v", got, err, tt.want, tt.err)
				}
			})
		}
	}
	// v1 asks whose process it is, v2 who may write in the common ancestor.
	if got, err := w.moved(1011, "memory/cgroup.procs", "62"); got != "" || !errors.Is(err, syscall.EACCES) {
		t.Errorf("v1, another user's: got %q, %v", got, err)
	}
	if got, err := w.moved(1010, "memory/cgroup.procs", "1"); os.Getuid() != 100000 && (got != "" || !errors.Is(err, syscall.EACCES)) {
		t.Errorf("v1, of a user outside of the user namespace: got %q, %v", got, err)
	}
	os.Chmod(w.path("unified", "box/cgroup.procs"), 0o644)
	if got, err := w.moved(1011, "unified/cgroup.procs", "61"); got != "" || !errors.Is(err, syscall.EACCES) {
		t.Errorf("v2, out of a cgroup that is not the user's: got %q, %v", got, err)
	}
}

// A process that ends while it is looked for gives its number to nobody.
func TestMoveOfSuccessor(t *testing.T) {
	w := newWorld(t)
	reads := 0
	w.before = func(name string) {
		if name != "/proc/1001/status" {
			return
		}
		if reads++; reads == 3 {
			w.before = nil
			w.add(proc{pid: 1001, ppid: 2000, ns: "31", cgroup: "/box"})
		}
	}
	if got, err := w.moved(1000, "memory/cgroup.procs", "7"); got != "" || !errors.Is(err, syscall.ESRCH) {
		t.Errorf("got %q, %v", got, err)
	}
	if w.before != nil {
		t.Error("nothing ended")
	}
}

// One that ends under the write, and whose number is given to a process that nobody meant, is put back to where that was born.
func TestMoveOfSuccessorUnderTheWrite(t *testing.T) {
	for _, h := range []string{"memory", "unified"} {
		w := newWorld(t)
		// On v1 a user may move his own only; this user need not be root.
		w.Files["/proc/1002/status"] = strings.ReplaceAll(w.Files["/proc/1002/status"], "4242", strconv.Itoa(os.Getuid()))
		written := func() bool {
			text, err := os.ReadFile(w.path(h, "box/app/deep/cgroup.procs"))
			return err == nil && len(text) > 0
		}
		w.before = func(name string) {
			if name != "/proc/1002" || !written() {
				return
			}
			w.before = nil
			w.Dirs = map[string]hostfile.Info{"/proc/1002": {Dev: 1, Inode: 424242}}
			w.Files["/proc/1002/status"] = strings.ReplaceAll(w.Files["/proc/2001/status"], "2001", "1002")
			w.Files["/proc/1002/cgroup"] = "4:memory:/box/app/deep\n0::/box/app/deep\n" // the kernel has moved it
		}
		if _, err := w.moved(1000, h+"/cgroup.procs", "9"); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%s: got %v", h, err)
		}
		text, err := os.ReadFile(w.path(h, "other/cgroup.procs"))
		if err != nil || !strings.HasPrefix(string(text), "1002") {
			t.Errorf("%s: it was not put back: %q, %v", h, text, err)
		}
		if w.before != nil {
			t.Error("nothing ended")
		}
	}
}

// What a write to cgroup.subtree_control gives to the writer is the files that appeared by it, as the kernel does.
func TestAdopt(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	w := newWorld(t)
	for _, name := range []string{"box/app", "box/in"} {
		w.append("unified", name+"/cgroup.kill", "")
	}
	w.add(proc{pid: 1010, ppid: 1000, ns: "60", cgroup: "/box", uid: 4242})
	n, err := w.tree.open(w.caller(1010), w.mustWalk(1000, "unified/box"))
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	before := n.generation()
	w.append("unified", "box/app/pids.max", "")
	w.append("unified", "box/in/pids.max", "")
	for _, name := range []string{"box/app", "box/late"} { // one that is another by now, and a new one
		if name == "box/app" {
			if err := os.Rename(w.path("unified", name), w.path("unified", "box/was")); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(w.path("unified", name), 0o755); err != nil {
			t.Fatal(err)
		}
		w.append("unified", name+"/pids.max", "")
		w.append("unified", name+"/memory.swap.max", "")
	}
	n.adopt(before)
	for name, want := range map[string]uint32{
		"box/in/pids.max": 4242, "box/in/memory.max": 0, "box/in/cgroup.procs": 0, "box/in/cgroup.kill": 0, "box/in": 0,
		"box/app/pids.max": 0, "box/app/memory.swap.max": 0, "box/late/memory.swap.max": 0, "box/late/pids.max": 0,
	} {
		var st unix.Stat_t
		if err := unix.Stat(w.path("unified", name), &st); err != nil || st.Uid != want {
			t.Errorf("%s: owner %d, %v, want %d", name, st.Uid, err, want)
		}
	}
}

func TestWrite(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name   string
		caller uint32
		file   string
		err    error
	}{
		{"below its cgroup", 1001, "memory/box/app/memory.limit_in_bytes", nil},
		{"v2 likewise", 1001, "unified/box/app/memory.max", nil},
		{"its own limit", 1001, "memory/box/memory.limit_in_bytes", syscall.EPERM},
		{"v2 likewise", 1001, "unified/box/memory.max", syscall.EPERM},
		{"what is delegated", 1001, "unified/box/cgroup.subtree_control", nil},
		{"the limit of a container in it", 1001, "unified/box/in/memory.max", nil},
		{"that one itself", 1101, "unified/box/in/memory.max", syscall.EPERM},
		{"a descriptor by number", 1001, "memory/box/app/cgroup.event_control", syscall.EPERM},
		{"a pressure trigger", 1001, "unified/box/app/memory.pressure", syscall.EOPNOTSUPP},
		{"the host", 1, "memory/box/app/memory.limit_in_bytes", syscall.EPERM},
		{"another container", 2001, "memory/box/app/memory.limit_in_bytes", syscall.ENOENT},
	} {
		key := w.mustWalk(1000, tt.file)
		n, err := w.tree.Write(w.caller(tt.caller), key, 0, []byte("12345"))
		if !errors.Is(err, tt.err) || tt.err == nil && (err != nil || n != 5) {
			t.Errorf("%s: got %d, %v, want %v", tt.name, n, err, tt.err)
		}
		text, _ := os.ReadFile(w.path("", tt.file))
		if (string(text) == "12345") != (tt.err == nil) {
			t.Errorf("%s: the file has %q", tt.name, text)
		}
		os.WriteFile(w.path("", tt.file), nil, 0o644)
	}
	if _, err := w.tree.Write(w.caller(1001), w.mustWalk(1001, "unified/box/app/memory.max"), 0, make([]byte, 4096)); !errors.Is(err, syscall.E2BIG) {
		t.Errorf("a page: %v", err)
	}
	if _, err := w.tree.Write(w.caller(1001), w.mustWalk(1001, "unified/box/app"), 0, nil); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a cgroup: %v", err)
	}
}

// Devices are the business of root of the host alone.
func TestDevices(t *testing.T) {
	for _, tt := range []struct {
		userns string
		caps   uint64
		err    error
	}{
		{initialMap, allCaps, nil},
		{initialMap, allCaps &^ (1 << unix.CAP_SYS_ADMIN), syscall.EPERM},
		{"0 0 65536\n", allCaps, syscall.EPERM},
	} {
		w := newWorld(t)
		me := uint32(os.Getuid())
		w.append("memory", "box/app/devices.allow", "")
		w.add(proc{pid: 1010, ppid: 1000, ns: "60", cgroup: "/box", uid: me, userns: tt.userns, caps: tt.caps})
		_, err := w.tree.Write(w.caller(1010), w.mustWalk(1010, "memory/box/app/devices.allow"), 0, []byte("a"))
		if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
			t.Errorf("%q, %x: got %v, want %v", tt.userns, tt.caps, err, tt.err)
		}
	}
}

func TestMkdirRmdir(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	w := newWorld(t)
	box := w.mustWalk(1001, "unified/box")
	key, a, err := w.tree.Mkdir(w.caller(1001), box, "new", 0o750)
	if err != nil || a.Mode != syscall.S_IFDIR|0o750 {
		t.Fatalf("got mode %o, %v", a.Mode, err)
	}
	if again := w.mustWalk(1001, "unified/box/new"); again != key {
		t.Errorf("key %#x, then %#x", key, again)
	}
	way := w.mustWalk(1001, "unified")
	for _, tt := range []struct {
		what   string
		caller uint32
		dir    vfs.Key
		name   string
		err    error
	}{
		{"again", 1001, box, "new", syscall.EEXIST},
		{"over a file", 1001, box, "cgroup.procs", syscall.EEXIST},
		{"beside", 1001, way, "more", syscall.EPERM},
		{"the way", 1001, way, "box", syscall.EPERM},
		{"a hierarchy", 1001, vfs.Top, "more", syscall.EPERM},
		{"by another container", 2001, box, "more", syscall.ENOENT},
		{"by the host", 1, box, "more", syscall.EPERM},
		{"two lines", 1001, box, "a\nb", syscall.EINVAL},
		{"the parent", 1001, box, "..", syscall.ENOENT},
		{"elsewhere", 1001, box, "../other/x", syscall.EINVAL},
	} {
		if _, _, err := w.tree.Mkdir(w.caller(tt.caller), tt.dir, tt.name, 0o755); !errors.Is(err, tt.err) {
			t.Errorf("mkdir %s: got %v, want %v", tt.what, err, tt.err)
		}
	}
	for _, tt := range []struct {
		what   string
		caller uint32
		dir    vfs.Key
		name   string
		err    error
	}{
		{"its own cgroup", 1001, way, "box", syscall.EPERM},
		{"beside", 1001, way, "other", syscall.EPERM},
		{"a file", 1001, box, "cgroup.procs", syscall.ENOTDIR},
		{"what is not there", 1001, box, "nothing", syscall.ENOENT},
		{"by another container", 2001, box, "new", syscall.ENOENT},
		{"a new one", 1001, box, "new", nil},
	} {
		if err := w.tree.Rmdir(w.caller(tt.caller), tt.dir, tt.name); !errors.Is(err, tt.err) {
			t.Errorf("rmdir %s: got %v, want %v", tt.what, err, tt.err)
		}
	}
}

// What an earlier process did for the same request is success; what was there
// before is not.
func TestReplays(t *testing.T) {
	w := newWorld(t)
	box := w.mustWalk(1001, "memory/box")
	again := w.caller(1001)
	again.Replayed = true
	if err := os.Mkdir(w.path("memory", "box/half"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, a, err := w.tree.Mkdir(again, box, "half", 0o755); err != nil || a.Mode != syscall.S_IFDIR|0o755 {
		t.Errorf("mkdir half done: mode %o, %v", a.Mode, err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(w.path("memory", "box/half"), old, old); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.tree.Mkdir(again, box, "half", 0o755); !errors.Is(err, syscall.EEXIST) {
		t.Errorf("mkdir of an old cgroup: %v", err)
	}
	if err := w.tree.Rmdir(again, box, "gone"); err != nil {
		t.Errorf("rmdir done: %v", err)
	}
}

// A replayed mkdir takes what is half made, and never a cgroup of root's that has the name by then.
func TestReplayedMkdirOfAnothers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	w := newWorld(t)
	os.Chmod(w.path("memory", "box"), 0o777)
	w.add(proc{pid: 1010, ppid: 1000, ns: "60", cgroup: "/box", uid: 4242})
	again := w.caller(1010)
	again.Replayed = true
	for _, tt := range []struct {
		name string
		mode os.FileMode
		uid  uint32 // in the end
		err  error
	}{
		{"root's", 0o755, 0, syscall.EEXIST},
		{"half", unfinished, 4242, nil},
	} {
		if err := os.Mkdir(w.path("memory", "box/"+tt.name), tt.mode); err != nil {
			t.Fatal(err)
		}
		_, _, err := w.tree.Mkdir(again, w.mustWalk(1000, "memory/box"), tt.name, 0o755)
		var st unix.Stat_t
		if serr := unix.Stat(w.path("memory", "box/"+tt.name), &st); serr != nil || !errors.Is(err, tt.err) || tt.err == nil && err != nil || st.Uid != tt.uid {
			t.Errorf("%s: %v, owner %d, %v; want %v, owner %d", tt.name, err, st.Uid, serr, tt.err, tt.uid)
		}
	}
}

func TestChange(t *testing.T) {
	w := newWorld(t)
	mode := uint32(0o4700)
	w.add(proc{pid: 1010, ppid: 1000, ns: "60", cgroup: "/box", uid: 4242})
	for _, tt := range []struct {
		name   string
		caller uint32
		path   string
		err    error
	}{
		{"a cgroup", 1001, "memory/box/app", nil},
		{"a file", 1001, "memory/box/app/tasks", nil},
		{"its own cgroup", 1001, "memory/box", nil},
		{"a delegated file there", 1001, "memory/box/tasks", nil},
		{"a limit there", 1001, "memory/box/memory.limit_in_bytes", syscall.EPERM},
		{"on the way", 1101, "memory/box", syscall.EPERM},
		{"by the host", 1, "memory/box/app", syscall.EPERM},
		{"by another container", 2001, "memory/box/app", syscall.ENOENT},
		{"by another user", 1010, "memory/box/app", syscall.EPERM},
	} {
		key := w.mustWalk(1000, tt.path)
		os.Chmod(w.path("", tt.path), 0o755)
		a, err := w.tree.Change(w.caller(tt.caller), key, vfs.Change{Mode: &mode})
		if !errors.Is(err, tt.err) || tt.err == nil && (err != nil || a.Mode&0o7777 != 0o700) {
			t.Errorf("%s: got mode %o, %v, want %v", tt.name, a.Mode, err, tt.err)
		}
		if st, _ := os.Stat(w.path("", tt.path)); st == nil || (st.Mode().Perm() == 0o700) != (tt.err == nil) {
			t.Errorf("%s: mode %v", tt.name, st)
		}
		os.Chmod(w.path("", tt.path), 0o755)
	}
}

func TestOpen(t *testing.T) {
	w := newWorld(t)
	w.add(proc{pid: 1010, ppid: 1000, ns: "60", cgroup: "/box", uid: 4242})
	os.Chmod(w.path("memory", "box/app/cgroup.event_control"), 0o200)
	os.Chmod(w.path("memory", "box/app/notify_on_release"), 0o444)
	for _, tt := range []struct {
		caller uint32
		path   string
		flags  uint32
		err    error
	}{
		{1001, "memory/box/app/tasks", unix.O_RDWR, nil},
		{1001, "memory/box/app", unix.O_RDONLY, syscall.EISDIR},
		{1001, "memory/box/app/cgroup.event_control", unix.O_RDONLY, syscall.EACCES},
		{1001, "memory/box/app/notify_on_release", unix.O_WRONLY, syscall.EACCES},
		{1010, "memory/box/app/tasks", unix.O_RDONLY, nil},
		{1010, "memory/box/app/tasks", unix.O_WRONLY, syscall.EACCES},
		{2001, "memory/box/app/tasks", unix.O_RDONLY, syscall.ENOENT},
		{1, "memory/box/app/tasks", unix.O_RDONLY, nil},
	} {
		if err := w.tree.Open(w.caller(tt.caller), w.mustWalk(1000, tt.path), tt.flags); !errors.Is(err, tt.err) || tt.err == nil && err != nil {
			t.Errorf("%d opens %s with %d: got %v, want %v", tt.caller, tt.path, tt.flags, err, tt.err)
		}
	}
}

func TestAccess(t *testing.T) {
	w := newWorld(t)
	w.add(proc{pid: 1010, ppid: 1000, ns: "60", cgroup: "/box", uid: 4242})
	os.Chmod(w.path("memory", "box/app/tasks"), 0o644)
	for _, tt := range []struct {
		caller uint32
		path   string
		want   uint32
		err    error
	}{
		{1001, "memory/box/app/tasks", mayRead | mayWrite, nil},
		{1010, "memory/box/app/tasks", mayRead, nil},
		{1010, "memory/box/app/tasks", mayWrite, syscall.EACCES},
		{1010, "memory/box/app", mayWrite | mayExec, syscall.EACCES},
		{1001, "memory/box/app", mayWrite | mayExec, nil},
		{1001, "memory", mayExec, nil}, // above its own cgroup
		{1001, "memory", mayWrite, syscall.EACCES},
		{2001, "memory/box/app/tasks", mayRead, syscall.ENOENT},
	} {
		if err := w.tree.Access(w.caller(tt.caller), w.mustWalk(1000, tt.path), tt.want); !errors.Is(err, tt.err) || tt.err == nil && err != nil {
			t.Errorf("%d asks for %d of %s: got %v, want %v", tt.caller, tt.want, tt.path, err, tt.err)
		}
	}
	if err := w.tree.Access(w.caller(1001), vfs.Top, mayWrite); !errors.Is(err, syscall.EACCES) {
		t.Errorf("to write to the top: %v", err)
	}
	if err := w.tree.Access(w.caller(1001), vfs.Top, mayRead|mayExec); err != nil {
		t.Errorf("to list the top: %v", err)
	}
}

func TestGate(t *testing.T) {
	var g inFlight
	for range maxInFlight {
		if err := g.enter("a"); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.enter("a"); err != syscall.EAGAIN {
		t.Errorf("one too many: %v", err)
	}
	if err := g.enter("b"); err != nil {
		t.Errorf("another container: %v", err)
	}
	g.leave("a")
	if err := g.enter("a"); err != nil {
		t.Errorf("after one left: %v", err)
	}
}

// The kernel says " (deleted)" of the cgroup of a zombie. A living process is in one
// that is called so, and not in the one whose name is shorter: who may write only
// that may not move it.
func TestMoveFromNamedDeleted(t *testing.T) {
	w := newWorld(t)
	w.mkcgroup("/box/app (deleted)")
	w.add(proc{pid: 1003, ppid: 1000, ns: "11", cgroup: "/box/app (deleted)"})
	for _, dir := range []string{"/box/app", "/box/app/deep"} {
		if err := os.Chmod(w.path("unified", dir+"/cgroup.procs"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := w.moved(1002, "unified/cgroup.procs", "11"); got != "" || !errors.Is(err, syscall.EACCES) {
		t.Errorf("by one who may not write the common ancestor: got %q, %v", got, err)
	}
	if got, err := w.moved(1000, "unified/cgroup.procs", "11"); got != "1003" || err != nil {
		t.Errorf("by root: got %q, %v", got, err)
	}
}
