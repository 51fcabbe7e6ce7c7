package container

import (
	"errors"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/fair"
)

// hybridMounts are those of a machine of v1 with name=systemd, which nobody uses.
const hybridMounts = `27 1 0:24 / / rw - ext4 /dev/root rw
31 27 0:28 / /cg/systemd rw - cgroup cgroup rw,xattr,name=systemd
32 27 0:29 / /cg/pids rw - cgroup cgroup rw,pids
33 27 0:30 / /cg/unified rw - cgroup2 cgroup2 rw
`

// TestTop: strangers never share the cgroup by which bounds count, and whoever is in one container does.
func TestTop(t *testing.T) {
	hybrid := func(pids string) string { return "2:pids:" + pids + "\n1:name=systemd:/\n0::/\n" }
	deep := strings.Repeat("/d", 1500)
	for _, tt := range []struct{ name, membership, chown, want string }{
		{"unit", "0::/system.slice/a.service\n", "", "/system.slice/a.service"},
		{"below a unit", "0::/system.slice/a.service/b/c\n", "/system.slice/a.service", "/system.slice/a.service"},
		{"nested slices", "0::" + userDir + "/app.slice/x.scope\n", userDir, userDir},
		{"rootless Podman", "0::" + userDir + "/user.slice/libpod-" + idA + ".scope/container\n", userDir, userDir},
		{"LXC", "0::/lxc.payload.a/b.slice\n", "", "/lxc.payload.a"},
		{"Docker by systemd", "0::/system.slice/docker-" + idA + ".scope\n", "", "/system.slice/docker-" + idA + ".scope"},
		{"Docker by cgroupfs", "0::/docker/" + idA + "\n", "", "/docker/" + idA},
		{"Docker in it", "0::/docker/" + idA + "/docker/" + idB + "\n", "", "/docker/" + idA},
		{"kubelet by cgroupfs", "0::/kubepods/burstable/podX/" + idA + "\n", "", "/kubepods/burstable/podX/" + idA},
		{"containerd in a unit", "0::/system.slice/containerd.service/kubepods-podX.slice:cri-containerd:" + idA + "\n", "",
			"/system.slice/containerd.service/kubepods-podX.slice:cri-containerd:" + idA},
		{"nspawn", "0::/machine.slice/machine-m.scope/payload/system.slice/b.service\n", "", "/machine.slice/machine-m.scope/payload"},
		{"Docker in a machine of v1", "0::/machine.slice/machine-m.scope/docker/" + idA + "\n", "", "/machine.slice/machine-m.scope"},
		{"forged below a unit", "0::/system.slice/a.service/docker-" + idA + ".scope\n", "/system.slice/a.service", "/system.slice/a.service"},
		{"given to a user", "0::/nobodys/x/y\n", "/nobodys", "/nobodys"},
		{"root's, of no unit", "0::/made/x\n", "", "/made/x"},
		{"slice", "0::/a.slice\n", "", "/a.slice"},
		{"root", "0::/\n", "", "/"},
		{"hybrid, systemd unused: Docker", hybrid("/docker/" + idA), "", "/docker/" + idA},
		{"hybrid, systemd unused: other", hybrid("/made/x"), "", "/made/x"},
		{"deep, in a unit", "0::/system.slice/a.service" + deep + "\n", "", "/system.slice/a.service"},
		{"deep, in none", "0::" + deep + "\n", "", deep[:2*maxTrusted]},
		{"colons in the name", "0::/a:b/c\n", "", "/a:b/c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			if strings.Contains(tt.membership, "systemd") && strings.Contains(tt.membership, "pids") {
				w.Files["/proc/self/mountinfo"] = hybridMounts
			}
			if tt.chown != "" {
				w.cgroup(tt.chown)
				w.chown(tt.chown, 1000)
			}
			for _, path := range []string{"/system.slice", "/machine.slice/machine-m.scope", "/docker/" + idA + "/docker", "/kubepods/burstable/podX", "/user.slice/user-1000.slice",
				"/system.slice/containerd.service", "/made", deep[:2*maxTrusted]} {
				w.cgroup(path)
				w.Files["/cg/pids"+path+"/cgroup.procs"] = ""
			}
			r := w.resolver(t, Options{})
			p, err := r.machine.parse([]byte(tt.membership))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.top; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			w.Files["/proc/700/cgroup"] = tt.membership
			if got := r.Top(700); got != tt.want {
				t.Errorf("got %q for a thread, want %q", got, tt.want)
			}
			w.Files["/proc/700/cgroup"] = "0::/\n"
			if got := r.Top(700); got != "/" {
				t.Errorf("got %q for a thread that moved, want /", got)
			}
			delete(w.Files, "/proc/700/cgroup")
			if got := r.Top(700); got != "" {
				t.Errorf("got %q for a thread that is gone", got)
			}
		})
	}
}

// A decision says by which cgroup the bounds of the caller count, one who sees the
// host's content too, each time.
func TestTopOfDecision(t *testing.T) {
	w := newWorld(proc{pid: 10, ppid: 1, cg: "/made/x"}, proc{pid: 20, ppid: 1, cg: "/system.slice/a.service"},
		proc{pid: 30, ppid: 1, ns: "1", cg: "/lxc.payload.a/b"})
	r := w.resolver(t, Options{})
	for range 2 { // the second time it is remembered
		for tid, want := range map[uint32]string{1: "/", 10: "/made/x", 20: "/system.slice/a.service", 30: "/lxc.payload.a"} {
			d := mustResolve(t, r, tid)
			if d.Top != want || d.Container != nil && d.Container.Top != want {
				t.Errorf("caller %d: %q, want %q; %+v", tid, d.Top, want, d.Container)
			}
		}
	}
	if d := mustResolve(t, r, 10); d.Container != nil {
		t.Errorf("in no unit: %+v, want the host", d.Container)
	}
}

func FuzzTop(f *testing.F) {
	f.Add("2:memory:/docker/" + idA + "\n0::/\n")
	f.Add("0::/user.slice/")
	w := newWorld()
	w.cgroup("/system.slice")
	f.Fuzz(func(t *testing.T, in string) {
		r := w.resolver(t, Options{})
		p, err := r.machine.parse([]byte(in))
		if err != nil {
			return
		}
		if got := p.top; !within(p.place.path, got) && !strings.HasPrefix(p.place.path, got) {
			t.Errorf("%q is not above %q", got, p.place.path)
		}
	})
}

// crowd is an attacker's: n inits of pid namespaces in one cgroup, each with
// mounts of its own, and a caller, 9000, who entered one of them from outside.
func crowd(cg string, n, mounts int) (procs []proc) {
	for i := range n {
		procs = append(procs, proc{pid: uint32(2000 + i), ppid: 1, ns: "1", cg: cg, root: 5000 + 2*i, mounts: mounts})
	}
	return append(procs, proc{pid: 9000, ppid: 1, ns: "77", cg: cg, root: 3999, mounts: mounts})
}

// TestHostileSearch: whatever a caller has made there to be looked at, its decision reads a bounded number of files and bytes,
// and its own unit or scope answers.
func TestHostileSearch(t *testing.T) {
	const unit = "/system.slice/evil.service"
	docker := "/docker/" + idA
	for _, tt := range []struct {
		name  string
		procs []proc
		want  string
	}{
		{"many inits in a unit", crowd(unit, 500, 0), `unit "systemd" "evil.service" ` + unit + ` init 0`},
		{"many mounts in each", crowd(unit, 500, 30), `unit "systemd" "evil.service" ` + unit + ` init 0`},
		{"many inits in a container", crowd(docker, 500, 30), `application "docker" "` + idA + `" ` + docker + ` init 2000`},
		{"large status files", func() []proc {
			all := crowd(unit, 100, 0)
			for i := range all {
				all[i].comm = strings.Repeat("g", 200<<10) // as by 65536 groups
			}
			return all
		}(), `unit "systemd" "evil.service" ` + unit + ` init 0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(tt.procs...)
			r := w.resolver(t, Options{})
			for range 3 {
				w.reads, w.bytes = 0, 0
				d := mustResolve(t, r, 9000)
				if got := gist(d.Container); got != tt.want {
					t.Errorf("got %s, %s; want %s", got, d.Reason, tt.want)
				}
				// The decision's own bound, and as much again when the cgroup answers.
				if w.reads > 2*1024+200 || w.bytes > 2<<20 {
					t.Errorf("%d accesses and %d bytes for one decision", w.reads, w.bytes)
				}
				t.Logf("%d accesses, %d bytes: %s", w.reads, w.bytes, d.Reason)
			}
		})
	}
}

// TestHostileSearchRests: after a dear search the next callers of the same top-level container get their answer without one, and
// nobody else notices.
func TestHostileSearchRests(t *testing.T) {
	const unit = "/system.slice/evil.service"
	procs := append(crowd(unit, 500, 0), proc{pid: 9001, ppid: 1, ns: "78", cg: unit, root: 3998}, proc{pid: 620, ppid: 550, ns: "40", cg: "/system.slice/docker-" + idA + ".scope"})
	w := newWorld(append(procs, docker()...)...)
	r := w.resolver(t, Options{})
	mustResolve(t, r, 9000)
	w.reads = 0
	d := mustResolve(t, r, 9001)
	if got := gist(d.Container); got != `unit "systemd" "evil.service" `+unit+` init 0` || d.Reason != ReasonBusy {
		t.Errorf("got %s, %s", got, d.Reason)
	}
	if w.reads > dearSearch {
		t.Errorf("%d accesses for a caller whose container rests", w.reads)
	}
	if d := mustResolve(t, r, 620); d.Reason != ReasonProcs || d.Container.InitPID != 600 {
		t.Errorf("another container's: got %s, %s", gist(d.Container), d.Reason)
	}
}

// TestHostileBusy: when a container's decisions are stuck, its other callers are answered by its scope, or unit, and a
// neighbour's, below the same parent, as ever.
func TestHostileBusy(t *testing.T) {
	for _, tt := range []struct{ name, dir, victim, want string }{
		{"Docker by cgroupfs", "/docker/" + idB, "/docker/" + idA, `application "docker" "` + idA + `" /docker/` + idA + ` init 100`},
		{"kubelet", "/kubepods/burstable/podX/" + idB, "/kubepods/burstable/podX/" + idA, `application "containerd" "` + idA + `" /kubepods/burstable/podX/` + idA + ` init 100`},
		{"unit", "/system.slice/evil.service", "/system.slice/a.service", `system "" "" /system.slice/a.service init 100`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			procs := []proc{
				{pid: 100, ppid: 1, ns: "1", cg: tt.victim, root: 91, start: 100}, {pid: 101, ppid: 100, ns: "2", cg: tt.victim, root: 91},
				{pid: 199, ppid: 1, cg: tt.dir, start: 100},
			}
			for i := range uint32(maxResolving) {
				procs = append(procs, proc{pid: 200 + i, ppid: 1, cg: tt.dir, start: 1000})
			}
			w := newWorld(procs...)
			r := w.resolver(t, Options{})
			own := mustResolve(t, r, 199).Container
			stuck, release := make(chan struct{}, maxResolving), make(chan struct{})
			w.before = func(name string) {
				if strings.HasPrefix(name, "/proc/20") && strings.HasSuffix(name, "/status") && name != "/proc/208/status" {
					stuck <- struct{}{}
					<-release
				}
			}
			done := make(chan error)
			for i := range uint32(maxResolving) {
				go func() { _, err := r.Resolve(200 + i); done <- err }()
			}
			for range maxResolving {
				<-stuck
			}
			w.before = nil
			w.add(proc{pid: 208, ppid: 1, cg: tt.dir, start: 1000})
			if d := mustResolve(t, r, 208); d.Container != own || d.Reason != ReasonBusy {
				t.Errorf("of the busy container: got %s, %s; want %s", gist(d.Container), d.Reason, gist(own))
			}
			if d := mustResolve(t, r, 101); gist(d.Container) != tt.want || d.Reason != ReasonInit {
				t.Errorf("the neighbour: got %s, %s", gist(d.Container), d.Reason)
			}
			close(release)
			for range maxResolving {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			if d := mustResolve(t, r, 208); d.Container != own || d.Reason == ReasonBusy {
				t.Errorf("afterwards: got %s, %s", gist(d.Container), d.Reason)
			}
		})
	}
}

// TestBusyOfNoUnit: who is in no scope and no unit has nothing else to be shown.
func TestBusyOfNoUnit(t *testing.T) {
	w := newWorld(crowd("/made", 500, 30)...)
	r := w.resolver(t, Options{MaxFiles: 100})
	if d, err := r.Resolve(9000); !errors.Is(err, errSpent) && !errors.Is(err, fair.ErrBusy) {
		t.Errorf("got %s, %v", gist(d.Container), err)
	}
}

// TestAlone: one who makes pid namespaces in a cgroup of no unit has as many records as others have, and each its own numbers.
func TestAlone(t *testing.T) {
	const more = 40
	w := newWorld(docker()...)
	r := w.resolver(t, Options{MaxNested: 8})
	mustResolve(t, r, 601)
	for i := range uint32(more) {
		w.add(proc{pid: 3000 + i, ppid: 1, ns: "1", cg: "/made", root: 100 + int(i)})
		d := mustResolve(t, r, 3000+i)
		if d.Container == nil || d.Container.InitPID != 3000+i {
			t.Fatalf("%d: got %s", 3000+i, gist(d.Container))
		}
	}
	made, others := 0, 0
	for _, c := range r.Containers() {
		if c.Top == "/made" {
			made++
		} else {
			others++
		}
	}
	if made > 8 || made == 0 || others != 1 {
		t.Errorf("%d records of /made, %d others", made, others)
	}
	for i := range uint32(more) {
		w.kill(3000 + i)
	}
	r.Sweep()
	if len(r.memory.registry.alone) != 1 {
		t.Errorf("counts are left: %v", r.memory.registry.alone)
	}
}
