package container

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

func TestRememberedCost(t *testing.T) {
	w := newWorld(lxc()...)
	r := w.resolver(t, Options{})
	first := mustResolve(t, r, 502)
	w.reads = 0
	if second := mustResolve(t, r, 502); second != first {
		t.Errorf("got %v, want %v", second, first)
	}
	if w.reads != 2 {
		t.Errorf("got %d accesses, want a stat and a read", w.reads)
	}
}

func TestRememberedAllocs(t *testing.T) {
	r := newWorld(lxc()...).resolver(t, Options{})
	mustResolve(t, r, 502)
	if n := testing.AllocsPerRun(100, func() { mustResolve(t, r, 502) }); n > 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func TestPidReuse(t *testing.T) {
	w := newWorld(append(lxc(), docker()...)...)
	r := w.resolver(t, Options{})
	mustResolve(t, r, 502)
	t.Run("caller in another container", func(t *testing.T) {
		w.reuse(proc{pid: 502, ppid: 600, ns: "9", cg: "/system.slice/docker-" + idA + ".scope", start: 70000})
		if got := mustResolve(t, r, 502).Container; got == nil || got.Runtime != "docker" {
			t.Errorf("got %s, want docker's", gist(got))
		}
	})
	t.Run("caller in the same cgroup, another pid namespace", func(t *testing.T) {
		w.reuse(proc{pid: 502, ppid: 601, ns: "9 1", cg: "/system.slice/docker-" + idA + ".scope", start: 80000})
		if got := mustResolve(t, r, 502).Container; got == nil || got.InitPID != 502 {
			t.Errorf("got %s, want init 502", gist(got))
		}
	})
}

func TestInitReuse(t *testing.T) {
	w := newWorld(docker()...)
	r := w.resolver(t, Options{})
	old := mustResolve(t, r, 601).Container
	w.kill(601)
	w.reuse(proc{pid: 600, ppid: 1, ns: "1", cg: "/system.slice/docker-" + idB + ".scope", start: 99999})
	w.add(proc{pid: 602, ppid: 600, ns: "2", cg: "/system.slice/docker-" + idB + ".scope", start: 100000})
	got := mustResolve(t, r, 602).Container
	if got == old || got.Name != idB || got.StartTicks != 99999 {
		t.Errorf("got %s, the old one %s", gist(got), gist(old))
	}
	if all := r.Containers(); len(all) != 1 || all[0] != got {
		t.Errorf("got %d containers, want the new one", len(all))
	}
}

func TestSameProcessNewInode(t *testing.T) {
	w := newWorld(docker()...)
	r := w.resolver(t, Options{})
	old := mustResolve(t, r, 601).Container
	w.reuse(docker()[1]) // same start time: the kernel only dropped its inode
	w.reuse(docker()[2])
	if got := mustResolve(t, r, 601).Container; got != old {
		t.Errorf("got another container: %s", gist(got))
	}
	if len(r.Containers()) != 1 {
		t.Errorf("got %d containers, want 1", len(r.Containers()))
	}
}

func TestMigration(t *testing.T) {
	w := newWorld(proc{pid: 30, ppid: 1, cg: "/system.slice/a.service"})
	r := w.resolver(t, Options{})
	if got := mustResolve(t, r, 30).Container.Name; got != "a.service" {
		t.Fatalf("got %q", got)
	}
	w.kill(30)
	w.add(proc{pid: 30, ppid: 1, cg: "/system.slice/b.service"})
	if got := mustResolve(t, r, 30).Container.Name; got != "b.service" {
		t.Errorf("got %q, want b.service", got)
	}
}

func TestInitMoves(t *testing.T) {
	w := newWorld(proc{pid: 500, ppid: 1, ns: "1", cg: "/a"}, proc{pid: 501, ppid: 500, ns: "2", cg: "/a"}, proc{pid: 502, ppid: 500, ns: "3", cg: "/a"})
	r := w.resolver(t, Options{})
	mustResolve(t, r, 501)
	w.kill(500)
	w.add(proc{pid: 500, ppid: 1, ns: "1", cg: "/b"})
	if got := mustResolve(t, r, 502).Container.CgroupPath; got != "/b" {
		t.Errorf("got %q, want /b", got)
	}
	if got := mustResolve(t, r, 501).Container.CgroupPath; got != "/b" {
		t.Errorf("remembered caller: got %q, want /b", got)
	}
}

// TestWeak: what was only the best of a bad job is decided again when more is
// known.
func TestWeak(t *testing.T) {
	w := newWorld(append(docker(), proc{pid: 620, ppid: 1, ns: "40", cg: "/user.slice/user-0.slice/session-1.scope", root: 91})...)
	r := w.resolver(t, Options{})
	if d := mustResolve(t, r, 620); d.Reason != ReasonUnit || !strings.Contains(d.Detail, noInit) {
		t.Errorf("got %q %q", d.Reason, d.Detail)
	}
	mustResolve(t, r, 601)
	if d := mustResolve(t, r, 620); d.Reason != ReasonMount {
		t.Errorf("got %q, want %q", d.Reason, ReasonMount)
	}
}

func TestUnitStartIsKept(t *testing.T) {
	w := newWorld(
		proc{pid: 30, ppid: 1, cg: "/system.slice/a.service", start: 700},
		proc{pid: 31, ppid: 1, cg: "/system.slice/a.service/w", start: 800})
	r := w.resolver(t, Options{})
	c := mustResolve(t, r, 31).Container
	if c.StartTicks != 700 || c.Key.StartTicks != 0 || c.InitPID != 0 {
		t.Errorf("got start %d, key %v, init %d", c.StartTicks, c.Key, c.InitPID)
	}
	w.kill(30)
	w.add(proc{pid: 32, ppid: 1, cg: "/system.slice/a.service/w", start: 900})
	if got := mustResolve(t, r, 32).Container; got != c {
		t.Errorf("got another container, start %d", got.StartTicks)
	}
}

// TestGone: whatever file of whatever process vanishes at whatever moment, the
// answer is the right container or ESRCH.
func TestGone(t *testing.T) {
	for _, victim := range []uint32{500, 501, 502} {
		for at := range 60 {
			w := newWorld(append(lxc(), docker()...)...)
			r := w.resolver(t, Options{})
			w.reads = 0
			w.before = func(string) {
				if w.reads == at {
					w.kill(victim)
				}
			}
			d, err := r.Resolve(502)
			switch {
			case err == nil && (d.Container == nil || d.Container.Runtime != "lxc"):
				t.Errorf("victim %d at access %d: got %s, %s", victim, at, gist(d.Container), d.Reason)
			case err != nil && !errors.Is(err, syscall.ESRCH):
				t.Errorf("victim %d at access %d: got %v, want ESRCH", victim, at, err)
			}
		}
	}
}

// TestReuseHalfWay: a parent dies and its pid goes to another container's
// process while the walk is on.
func TestReuseHalfWay(t *testing.T) {
	for at := range 60 {
		w := newWorld(append(lxc(), docker()...)...)
		r := w.resolver(t, Options{})
		w.reads = 0
		w.before = func(string) {
			if w.reads == at {
				w.before = nil
				w.kill(502)
				w.add(proc{pid: 502, ppid: 500, ns: "21", cg: "/lxc.payload.web/system.slice/ssh.service", root: 90})
				w.reuse(proc{pid: 501, ppid: 600, ns: "9", cg: "/system.slice/docker-" + idA + ".scope"})
			}
		}
		d, err := r.Resolve(502)
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("at access %d: %v", at, err)
		}
		if err == nil && (d.Container == nil || d.Container.Runtime != "lxc") {
			t.Errorf("at access %d: got %s", at, gist(d.Container))
		}
	}
}

// TestExitingInit: the kernel takes an exiting task out of its v1 cgroups before
// the tasks of its pid namespace are gone. Seen on 6.18: a Container at "/".
func TestExitingInit(t *testing.T) {
	w := newWorld(docker()...)
	r := w.resolver(t, Options{})
	old := mustResolve(t, r, 601).Container
	w.add(proc{pid: 602, ppid: 600, ns: "8", cg: docker()[1].cg, root: 91})
	w.add(proc{pid: 600, ppid: 550, ns: "1", cg: "/", exiting: true})
	if d, err := r.Resolve(602); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("got %s, %v; want ESRCH", gist(d.Container), err)
	}
	t.Run("only its main thread", func(t *testing.T) {
		w.add(proc{pid: 603, tgid: 600, ppid: 550, ns: "1", cg: docker()[1].cg})
		if got := mustResolve(t, r, 602).Container; got.CgroupPath != old.CgroupPath || got.InitPID != 600 {
			t.Errorf("got %s, want %s", gist(got), gist(old))
		}
	})
}

// TestNoMixture: the init's pid goes to another init while it is being read. No
// Container is put together from both.
func TestNoMixture(t *testing.T) {
	for at := range 60 {
		w := newWorld(proc{pid: 500, ppid: 1, ns: "1", cg: "/a", start: 7})
		w.cgroup("/b")
		r := w.resolver(t, Options{})
		w.reads = 0
		w.before = func(string) {
			if w.reads == at {
				w.before = nil
				w.reuse(proc{pid: 500, ppid: 1, ns: "1", cg: "/b", start: 8})
			}
		}
		d, err := r.Resolve(500)
		if errors.Is(err, syscall.ESRCH) {
			continue // the caller itself is gone
		}
		if err != nil {
			t.Errorf("at access %d: %v", at, err)
			continue
		}
		if c := d.Container; (c.CgroupPath == "/a") != (c.StartTicks == 7) || (c.CgroupPath == "/b") != (c.StartTicks == 8) {
			t.Errorf("at access %d: got %s started at %d", at, gist(c), c.StartTicks)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name, file, content string
		err, want           error
	}{
		{"caller gone at read", "/proc/502/status", "", syscall.ESRCH, syscall.ESRCH},
		{"caller gone at open", "/proc/502/cgroup", "", syscall.ENOENT, syscall.ESRCH},
		{"init gone at stat", "/proc/500/stat", "", syscall.ESRCH, syscall.ESRCH},
		{"hidden", "/proc/502/status", "", syscall.EACCES, syscall.EACCES},
		{"garbage status", "/proc/502/status", "Name: x\n", nil, cgroup.ErrFormat},
		{"garbage cgroup", "/proc/502/cgroup", "nonsense\n", nil, cgroup.ErrFormat},
		{"garbage stat of the init", "/proc/500/stat", "500 sh S\n", nil, cgroup.ErrFormat},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(lxc()...)
			if tt.err != nil {
				w.Errors[tt.file] = tt.err
			} else {
				w.Files[tt.file] = tt.content
			}
			r := w.resolver(t, Options{})
			d, err := r.Resolve(502)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, %v; want %v", d, err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), tt.file) {
				t.Errorf("%q does not name %s", err, tt.file)
			}
		})
	}
}

// TestQuota: a container makes more pid namespaces in it than it may have.
func TestQuota(t *testing.T) {
	w := newWorld(lxc()...)
	r := w.resolver(t, Options{MaxNested: 4})
	for pid := uint32(1000); pid < 1010; pid++ {
		w.add(proc{pid: pid, ppid: 502, ns: fmt.Sprintf("%d 1", pid), cg: fmt.Sprintf("/lxc.payload.web/n%d", pid)})
		d := mustResolve(t, r, pid)
		if own := pid < 1004; own != (d.Container.InitPID == pid) || own != (d.Reason == ReasonInit) {
			t.Errorf("%d: got %s, %s", pid, gist(d.Container), d.Reason)
		}
		if pid >= 1004 && (d.Reason != ReasonQuota || d.Container.InitPID != 500) {
			t.Errorf("%d: got %s, %s", pid, gist(d.Container), d.Reason)
		}
	}
	t.Run("shares the nearest parent's", func(t *testing.T) {
		w.add(proc{pid: 2000, ppid: 1000, ns: "2000 5 1", cg: "/lxc.payload.web/n1000"})
		if d := mustResolve(t, r, 2000); d.Reason != ReasonQuota || d.Container.InitPID != 1000 {
			t.Errorf("got %s, %s", gist(d.Container), d.Reason)
		}
	})
	t.Run("others are not concerned", func(t *testing.T) {
		for _, p := range docker() {
			w.add(p)
		}
		if d := mustResolve(t, r, 601); d.Container.Runtime != "docker" {
			t.Errorf("got %s", gist(d.Container))
		}
	})
	t.Run("the dead make room", func(t *testing.T) {
		w.kill(1000)
		w.add(proc{pid: 1010, ppid: 502, ns: "1010 1", cg: "/lxc.payload.web/n1010"})
		if d := mustResolve(t, r, 1010); d.Container.InitPID != 1010 {
			t.Errorf("got %s, %s", gist(d.Container), d.Reason)
		}
	})
}

func TestQuotaOfUserUnits(t *testing.T) {
	const manager = "/user.slice/user-1000.slice/user@1000.service"
	w := newWorld(proc{pid: 20, ppid: 1, cg: manager + "/init.scope"})
	w.chown(manager, 1000)
	r := w.resolver(t, Options{MaxNested: 3})
	for pid := uint32(1000); pid < 1006; pid++ {
		w.add(proc{pid: pid, ppid: 20, cg: fmt.Sprintf("%s/app.slice/u%d.service", manager, pid)})
		d := mustResolve(t, r, pid)
		if want := pid < 1003; want != (d.Container.CgroupPath != manager) || want != (d.Reason == ReasonUnit) {
			t.Errorf("%d: got %s, %s", pid, gist(d.Container), d.Reason)
		}
	}
}

func TestBounds(t *testing.T) {
	w := newWorld()
	r := w.resolver(t, Options{MaxContainers: 8, MaxCallers: 8})
	for pid := uint32(1000); pid < 1100; pid++ {
		w.add(proc{pid: pid, ppid: 1, ns: "1", cg: fmt.Sprintf("/c%d", pid)})
		if d := mustResolve(t, r, pid); d.Container.InitPID != pid {
			t.Errorf("%d: got %s", pid, gist(d.Container))
		}
	}
	if n := len(r.Containers()); n != 8 {
		t.Errorf("got %d containers, want 8", n)
	}
	if len(r.memory.callers.slots) != 8 || len(r.memory.callers.index) != 8 || len(r.memory.registry.byInit) != 8 || len(r.memory.registry.byCgroup) != 0 {
		t.Errorf("got %d callers, %d inits, %d cgroups", len(r.memory.callers.slots), len(r.memory.registry.byInit), len(r.memory.registry.byCgroup))
	}
}

func TestSweep(t *testing.T) {
	w := newWorld(append(lxc(), append(docker(), proc{pid: 30, ppid: 1, cg: "/system.slice/a.service"})...)...)
	r := w.resolver(t, Options{})
	for _, tid := range []uint32{502, 601, 30} {
		mustResolve(t, r, tid)
	}
	if n := len(r.Containers()); n != 3 {
		t.Fatalf("got %d containers, want 3", n)
	}
	w.kill(500)
	w.kill(30)
	delete(w.Files, "/sys/fs/cgroup/system.slice/a.service/cgroup.procs")
	if all := r.Containers(); len(all) != 1 || all[0].Runtime != "docker" {
		t.Errorf("got %d containers, want docker's", len(all))
	}
	if len(r.memory.registry.byInit) != 1 || len(r.memory.registry.byCgroup) != 1 {
		t.Errorf("left: %d inits, %d cgroups", len(r.memory.registry.byInit), len(r.memory.registry.byCgroup))
	}
}

// What is of a dead container is gone after a Sweep, which says once who died.
func TestSweepOfTheDead(t *testing.T) {
	w := newWorld(append(lxc(), append(docker(), proc{pid: 30, ppid: 1, cg: "/system.slice/a.service"})...)...)
	r := w.resolver(t, Options{})
	for _, tid := range []uint32{502, 601, 30} {
		mustResolve(t, r, tid)
	}
	dead := func() (names []string) {
		all, others := r.Sweep()
		if len(others) > 0 {
			t.Errorf("forgotten: %s", gist(others[0]))
		}
		for _, c := range all {
			names = append(names, c.Name)
		}
		slices.Sort(names)
		return names
	}
	if got := dead(); got != nil {
		t.Errorf("dead: %q while all live", got)
	}
	if len(r.memory.callers.slots) != 3 || len(r.machine.lines.slots) == 0 {
		t.Errorf("%d callers and %d lines remembered while all live", len(r.memory.callers.slots), len(r.machine.lines.slots))
	}
	for _, pid := range []uint32{500, 502, 30} {
		w.kill(pid)
	}
	delete(w.Files, "/sys/fs/cgroup/system.slice/a.service/cgroup.procs")
	r.Containers() // the bus asks: it must not keep the news from Sweep
	if got := dead(); !slices.Equal(got, []string{"a.service", "web"}) {
		t.Errorf("dead: %q, want a.service and web", got)
	}
	if got := dead(); got != nil {
		t.Errorf("dead: %q a second time", got)
	}
	if len(r.memory.callers.slots) != 1 || len(r.memory.registry.records.slots) != 1 || len(r.machine.lines.slots) > 0 {
		t.Errorf("left: %d callers, %d records, %d lines; want those of docker's, and no line that nobody uses",
			len(r.memory.callers.slots), len(r.memory.registry.records.slots), len(r.machine.lines.slots))
	}
	for pid := range r.memory.parents.index {
		if _, err := w.Stat(procpid.Dir(pid)); err != nil {
			t.Errorf("a parent that is dead is remembered: %v", err)
		}
	}
}

// Who had to make room, or moved, is not dead; and inits of one tick in one
// cgroup have one Key.
func TestSweepOfTheLiving(t *testing.T) {
	w := newWorld(lxc()...)
	for pid := range uint32(4) {
		w.add(proc{pid: 2000 + pid, ppid: 500, ns: "30 1", start: 7, cg: "/lxc.payload.web"})
	}
	r := w.resolver(t, Options{MaxContainers: 2})
	for pid := range uint32(4) {
		mustResolve(t, r, 2000+pid)
	}
	w.kill(2003)
	dead, others := r.Sweep()
	if len(dead) != 0 {
		t.Errorf("dead: %s, of a Key that lives", gist(dead[0]))
	}
	if len(others) != 2 {
		t.Errorf("%d had to make room or share a Key, want the 2 that are remembered", len(others))
	}
	if len(r.memory.registry.unlinked) > 2 {
		t.Errorf("%d unlinked records are kept, want at most 2", len(r.memory.registry.unlinked))
	}
}

// TestHiddenCgroup: the owner of a delegated cgroup shuts it off.
func TestHiddenCgroup(t *testing.T) {
	w := newWorld(proc{pid: 500, ppid: 1, ns: "1", cg: "/user/box/in"})
	w.Errors["/sys/fs/cgroup/user/box/in"] = syscall.EACCES
	d := mustResolve(t, w.resolver(t, Options{}), 500)
	info, err := w.Archive.Stat("/sys/fs/cgroup/user/box")
	if err != nil || d.Container.Key.Inode != info.Inode || d.Container.CgroupPath != "/user/box/in" {
		t.Errorf("got %v %s, %v", d.Container.Key, d.Container.CgroupPath, err)
	}
}

// TestV1 is a v1 machine without systemd: name=systemd and v2 say "/" of all.
func TestV1(t *testing.T) {
	w := newWorld()
	mounts := "27 1 0:24 / / rw - ext4 /dev/root rw\n"
	for i, c := range []string{"cpu", "memory", "pids", "devices", "name=systemd"} {
		dir := strings.TrimPrefix(c, "name=")
		mounts += fmt.Sprintf("%d 27 0:%d / /cg/%s rw - cgroup cgroup rw,%s\n", 40+i, 40+i, dir, c)
		for _, sub := range []string{"", "/ct", "/ct/init.scope", "/docker/" + idA} {
			w.Files["/cg/"+dir+sub+"/cgroup.procs"] = ""
		}
	}
	w.Files["/proc/self/mountinfo"] = mounts
	cgroups := func(cpu, memory, pids string) string {
		return fmt.Sprintf("5:name=systemd:/\n4:devices:/\n3:pids:%s\n2:memory:%s\n1:cpu:%s\n", pids, memory, cpu)
	}
	w.add(proc{pid: 500, ppid: 1, ns: "1", cg: cgroups("/", "/ct/init.scope", "/")})
	w.add(proc{pid: 501, ppid: 500, ns: "2", cg: cgroups("/other", "/ct", "/")})
	w.add(proc{pid: 600, ppid: 1, cg: cgroups("/docker/"+idA, "/docker/"+idA, "/docker/"+idA)})
	w.add(proc{pid: 700, ppid: 1, cg: cgroups("/", "/", "/")})
	w.Files["/cg/pids/docker/"+idA+"/cgroup.procs"] = "600\n"
	r := w.resolver(t, Options{})
	for _, tt := range []struct {
		tid    uint32
		want   string
		reason Reason
	}{
		{501, `system "" "" /ct init 500`, ReasonInit},
		{600, `application "docker" "` + idA + `" /docker/` + idA + ` init 0`, ReasonScope},
		{700, "host", ReasonRoot},
	} {
		d := mustResolve(t, r, tt.tid)
		if got := gist(d.Container); got != tt.want || d.Reason != tt.reason {
			t.Errorf("%d: got %s, %q; want %s, %q", tt.tid, got, d.Reason, tt.want, tt.reason)
		}
	}
	if p, _ := mustResolve(t, r, 501).Container.Membership.Path("memory"); p != "/ct" {
		t.Errorf("memory path: got %q, want it without init.scope", p)
	}
}

func TestConcurrent(t *testing.T) {
	w := newWorld(append(lxc(), docker()...)...)
	host, err := cgroup.Detect(w.Archive)
	if err != nil {
		t.Fatal(err)
	}
	r := New(host, Options{MaxCallers: 2, MaxContainers: 2})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				for tid, want := range map[uint32]string{502: "lxc", 601: "docker", 550: "systemd"} {
					d, err := r.Resolve(tid)
					if err != nil || d.Container.Runtime != want {
						t.Errorf("%d: got %s, %v", tid, gist(d.Container), err)
						return
					}
				}
				r.Sweep()
			}
		})
	}
	wg.Wait()
}

func TestQuotaOfNestedScopes(t *testing.T) {
	const outer = "/system.slice/docker-" + idA + ".scope"
	w := newWorld(append(docker(), proc{pid: 660, ppid: 601, ns: "30 1", cg: outer + "/a"})...)
	r := w.resolver(t, Options{MaxNested: 3})
	mustResolve(t, r, 660)
	for pid := uint32(1000); pid < 1006; pid++ {
		w.add(proc{pid: pid, ppid: 660, ns: fmt.Sprintf("%d 2", pid), cg: fmt.Sprintf("%s/b/docker-%012x.scope", outer, pid)})
		d := mustResolve(t, r, pid)
		if own := pid < 1002; own != (d.Reason == ReasonOwnScope) || own != (d.Container.CgroupPath != outer) {
			t.Errorf("%d: got %s, %s", pid, gist(d.Container), d.Reason)
		}
		if d.Container.Top != outer {
			t.Errorf("%d: the top-level container is %s, want %s", pid, d.Container.Top, outer)
		}
	}
}

func TestKindString(t *testing.T) {
	for kind, want := range map[Kind]string{System: "system", Application: "application", Unit: "unit", 0: "unknown"} {
		if got := kind.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// When many Containers are forgotten between two sweeps, the next one is asked for
// before any is left out of what it tells.
func TestCrowded(t *testing.T) {
	const most, many = 8, 40
	w := newWorld(lxc()...)
	r := w.resolver(t, Options{MaxContainers: most})
	told := make(map[*Container]bool)
	sweep := func() {
		dead, others := r.Sweep()
		for _, c := range slices.Concat(dead, others) {
			told[c] = true
		}
	}
	living := make(map[*Container]bool)
	for pid := range uint32(many) {
		w.add(proc{pid: 2000 + pid, ppid: 500, ns: "30 1", start: uint64(7 + pid), cg: "/lxc.payload.web"})
		living[mustResolve(t, r, 2000+pid).Container] = true
		select {
		case <-r.Crowded():
			sweep()
		default:
		}
	}
	for _, rec := range r.memory.registry.all() {
		delete(living, rec.c)
	}
	sweep()
	for c := range living {
		if !told[c] {
			t.Errorf("no sweep told of %s", gist(c))
		}
	}
}
