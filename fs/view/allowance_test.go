package view

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
)

func TestSettle(t *testing.T) {
	for _, test := range []struct {
		name        string
		spent, left []int
	}{
		{"nobody", nil, nil},
		{"all that was done", []int{0, 100, maxTasks}, []int{0, 0, 0}},
		{"no more than maxTasks for one", []int{3 * maxTasks}, []int{2 * maxTasks}},
		{"equal parts", []int{maxTasks, maxTasks, maxTasks, maxTasks, maxTasks, maxTasks, maxTasks, maxTasks},
			[]int{8192, 8192, 8192, 8192, 8192, 8192, 8192, 8192}},
		{"small ones first", []int{50000, 10, 50000, 50000, 50000, 50000, 50000, 6, 50000},
			[]int{40640, 0, 40640, 40640, 40640, 40640, 40640, 0, 40640}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []*allowance
			for _, n := range test.spent {
				all = append(all, &allowance{spent: n})
			}
			settle(slices.Clone(all))
			paid := 0
			for i, a := range all {
				paid += test.spent[i] - a.spent
				if d := a.spent - test.left[i]; d < -1 || d > 1 {
					t.Errorf("of %d are left %d, want %d", test.spent[i], a.spent, test.left[i])
				}
			}
			if paid > tickWork {
				t.Errorf("%d paid, want at most %d", paid, tickWork)
			}
		})
	}
}

// crowded is a machine with a cgroup of 6000 sleepers of an attacker's, and a
// victim with one task that always runs.
func crowded(t *testing.T, cg string) (h *hall, loads *Loads, attacker, victim *container.Container) {
	t.Helper()
	h, loads = newHall(t)
	sleepers := make([]string, 6000)
	for i := range sleepers {
		sleepers[i] = "S"
	}
	attacker = h.put(cg, 1000, sleepers...)
	victim = h.put("/victim", 10, "R")
	h.now = time.Duration(victim.StartTicks) * tick
	return h, loads, attacker, victim
}

// tickFor has ticks go by, in which the attacker uses CPU time and the victim
// reads. It returns how many files were read in each.
func (h *hall) tickFor(t *testing.T, loads *Loads, victim *container.Container, cgroups []string, ticks int) []int64 {
	t.Helper()
	var reads []int64
	for i := range ticks {
		for _, cg := range cgroups {
			h.Files["/sys/fs/cgroup"+cg+"/cpu.stat"] = fmt.Sprintf("usage_usec %d\nuser_usec 0\nsystem_usec 0\n", h.now.Microseconds()+int64(i))
		}
		before := h.reads.Load()
		h.now += loadInterval
		loads.Tick()
		if _, err := loads.read(victim); err != nil {
			t.Fatal(err)
		}
		reads = append(reads, h.reads.Load()-before)
	}
	return reads
}

// Many short pid namespaces in one cgroup, 456 of them, whose inits read the
// load and ended: the cgroup was counted 456 times in each tick, 2.7 million
// files, and the victim's load was 0.08 where it should have been 0.49.
func TestManyShortNamespaces(t *testing.T) {
	h, loads, attacker, victim := crowded(t, "/attacker")
	if _, err := loads.read(victim); err != nil {
		t.Fatal(err)
	}
	for i := range 456 {
		short := &container.Container{
			Key: container.Key{Inode: attacker.Key.Inode, StartTicks: uint64(i)}, PIDDepth: 2, Top: attacker.Top,
			CgroupPath: attacker.CgroupPath, Membership: attacker.Membership,
		}
		if _, err := loads.read(short); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.reads.Load(); n > 6100 {
		t.Errorf("%d files read for the first reads, want those of one census", n)
	}
	if n := len(loads.watched); n > maxWatched+1 {
		t.Errorf("%d containers watched, want at most %d of each top-level container", n, maxWatched)
	}
	for _, n := range h.tickFor(t, loads, victim, []string{"/attacker"}, 8) {
		if n > 6100 {
			t.Errorf("%d files read in a tick, want those of one census", n)
		}
	}
	if got, _ := loads.read(victim); shown(got.average) != "0.49 0.13 0.04" {
		t.Errorf("the victim's load after 40 s is %s, want 0.49 0.13 0.04", shown(got.average))
	}
}

// Pid namespaces in cgroups one in the other, the innermost of which has 6000
// sleepers: each must count them. They are counted in turn, as many in a tick as
// is allowed for one top-level container; and none is left out for ever.
func TestNestedNamespaces(t *testing.T) {
	const depth = 20
	path, cgroups := "/attacker", []string{}
	for range depth - 1 {
		cgroups = append(cgroups, path)
		path += "/x"
	}
	cgroups = append(cgroups, path)
	h, loads, innermost, victim := crowded(t, path)
	if _, err := loads.read(victim); err != nil {
		t.Fatal(err)
	}
	for i, cg := range cgroups {
		c := innermost
		if cg != path {
			c = h.put(cg, 100+i)
		}
		c.Top = "/attacker"
		if _, err := loads.read(c); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.reads.Load(); n > 3*6100+depth*(partialTasks+2*depth+10) {
		t.Errorf("%d files read for the first reads, want the allowance and a few for each", n)
	}
	const ticks = 30
	began := h.now
	var sum int64
	for i, n := range h.tickFor(t, loads, victim, cgroups, ticks) {
		if sum += n; sum > int64(i+2)*(maxTasks+6100+depth*10) {
			t.Fatalf("%d files read in %d ticks", sum, i+1)
		}
	}
	for _, g := range loads.groups {
		if g.counted < began+ticks/2*loadInterval {
			t.Errorf("%.40s was not counted after %v of %v", g.key.path, g.counted-began, ticks*loadInterval)
		}
		if g.allowance != loads.tops["/victim"] && g.threads != 6000 {
			t.Errorf("%.40s: %d threads, want 6000", g.key.path, g.threads)
		}
	}
	if got, _ := loads.read(victim); shown(got.average) != "0.92 0.40 0.15" {
		t.Errorf("the victim's load after 150 s is %s, want 0.92 0.40 0.15", shown(got.average))
	}
}

// Where each cgroup is a top-level container, for nothing is in a scope or unit, those
// that are watched take no more than there is room for, and who reads on stays.
func TestManyTops(t *testing.T) {
	h, loads, _, victim := crowded(t, "/attacker")
	if _, err := loads.read(victim); err != nil {
		t.Fatal(err)
	}
	const long = 3072
	const many = 2 * maxWatchedBytes / (watchedCost + long)
	for i := range many {
		at := fmt.Sprintf("/attacker/%0*d", long, i)
		h.Files["/sys/fs/cgroup"+at+"/cgroup.procs"] = ""
		c := &container.Container{
			Key: container.Key{Inode: uint64(1000 + i)}, PIDDepth: 2, Top: at, CgroupPath: at,
			Membership: cgroup.Membership{{Path: at}},
		}
		h.now += time.Millisecond
		if _, err := loads.read(c); err != nil {
			t.Fatal(err)
		}
		delete(h.Files, "/sys/fs/cgroup"+at+"/cgroup.procs") // the archive is slow with many
		if i%1000 == 0 {
			if _, err := loads.read(victim); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(loads.watched); loads.bytes > maxWatchedBytes || n > many/2+1 || n < many/4 || n > len(loads.groups)+1 {
		t.Errorf("%d containers of %d cgroups watched, %d bytes, want at most %d of %d bytes", n, len(loads.groups), loads.bytes, many/2+1, maxWatchedBytes)
	}
	if loads.watched[victim.Key] == nil {
		t.Error("the victim is watched no more")
	}
	for _, w := range loads.watched {
		loads.forget(w)
	}
	if loads.settle(); loads.bytes != 0 || len(loads.groups) != 0 {
		t.Errorf("%d bytes, %d cgroups left behind", loads.bytes, len(loads.groups))
	}
}
