package container

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// The second child of a shell costs no walk.
func TestParentCost(t *testing.T) {
	w := newWorld(lxc()...)
	w.add(proc{pid: 510, ppid: 502, ns: "30", cg: "/lxc.payload.web"})
	w.add(proc{pid: 511, ppid: 502, ns: "31", cg: "/lxc.payload.web"})
	r := w.resolver(t, Options{})
	first := mustResolve(t, r, 510)
	statuses := 0
	w.before = func(name string) {
		if strings.HasSuffix(name, "/status") {
			statuses++
		}
	}
	second := mustResolve(t, r, 511)
	if second.Container != first.Container || second.Reason != first.Reason {
		t.Errorf("got %s, want %s", gist(second.Container), gist(first.Container))
	}
	if statuses != 1 {
		t.Errorf("got %d reads of a status, want the caller's only", statuses)
	}
}

// What was known of a parent is not taken for what now has its pid.
func TestParentReuse(t *testing.T) {
	w := newWorld(append(lxc(), docker()...)...)
	w.add(proc{pid: 510, ppid: 502, ns: "30", cg: "/lxc.payload.web"})
	r := w.resolver(t, Options{})
	mustResolve(t, r, 510)
	w.reuse(proc{pid: 502, ppid: 600, ns: "9", cg: "/system.slice/docker-" + idA + ".scope", start: 70000})
	w.add(proc{pid: 512, ppid: 502, ns: "10", cg: "/system.slice/docker-" + idA + ".scope", start: 70001})
	if got := mustResolve(t, r, 512).Container; got == nil || got.Runtime != "docker" {
		t.Errorf("got %s, want docker's", gist(got))
	}
}

// A child of another depth, in a pid namespace of its own, is not its parent's
// sibling.
func TestParentDepth(t *testing.T) {
	w := newWorld(lxc()...)
	w.add(proc{pid: 510, ppid: 502, ns: "30", cg: "/lxc.payload.web"})
	w.add(proc{pid: 511, ppid: 502, ns: "31 1", cg: "/lxc.payload.web/x"})
	r := w.resolver(t, Options{})
	mustResolve(t, r, 510)
	if got := mustResolve(t, r, 511).Container; got.InitPID != 511 {
		t.Errorf("got %s, want a container of its own", gist(got))
	}
}

// TestParentReuseHalfWay: the parent dies and its pid goes to a process of another
// container at whatever moment, while somebody else resolves a child of that one
// at whatever moment later.
func TestParentReuseHalfWay(t *testing.T) {
	for at := range 12 {
		w := newWorld(
			proc{pid: 500, ppid: 1, ns: "1", cg: "/a"}, proc{pid: 502, ppid: 500, ns: "2", cg: "/a"},
			proc{pid: 510, ppid: 502, ns: "3", cg: "/a"}, proc{pid: 600, ppid: 1, ns: "1", cg: "/b"})
		r := w.resolver(t, Options{})
		w.reads = 0
		w.before = func(string) {
			if w.reads != at {
				return
			}
			w.before = nil
			w.add(proc{pid: 510, ppid: 500, ns: "3", cg: "/a"})
			w.reuse(proc{pid: 502, ppid: 600, ns: "9", cg: "/b", start: 70000})
			w.add(proc{pid: 610, ppid: 502, ns: "10", cg: "/b", start: 70001})
			mustResolve(t, r, 610) // knows 502 now
		}
		d, err := r.Resolve(510)
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("at access %d: %v", at, err)
		}
		if err == nil && (d.Container == nil || d.Container.InitPID != 500) {
			t.Errorf("at access %d: got %s", at, gist(d.Container))
		}
	}
}

func TestParentBounds(t *testing.T) {
	w := newWorld(lxc()...)
	r := w.resolver(t, Options{MaxCallers: 4})
	for pid := uint32(1000); pid < 1020; pid++ {
		w.add(proc{pid: pid, ppid: 500, ns: fmt.Sprint(pid), cg: "/lxc.payload.web"})
		w.add(proc{pid: pid + 1000, ppid: pid, ns: fmt.Sprint(pid + 1000), cg: "/lxc.payload.web"})
		mustResolve(t, r, pid+1000)
	}
	if len(r.memory.parents.slots) > 4 {
		t.Errorf("%d parents are remembered, want at most 4", len(r.memory.parents.slots))
	}
}
