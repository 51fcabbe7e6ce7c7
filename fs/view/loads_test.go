package view

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

// hall is a machine with containers; before is called before each file is read.
type hall struct {
	*hosttest.Archive
	before func(name string)
	reads  atomic.Int64
	now    time.Duration
}

func (h *hall) Append(dst []byte, name string) ([]byte, error) {
	h.reads.Add(1)
	if h.before != nil {
		h.before(name)
	}
	return h.Archive.Append(dst, name)
}

func newHall(t *testing.T) (*hall, *Loads) {
	t.Helper()
	h := &hall{now: time.Hour, Archive: &hosttest.Archive{
		Files: map[string]string{
			"/proc/self/mountinfo":              "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"/sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
		},
		Dirs:   map[string]hostfile.Info{},
		Errors: map[string]error{},
	}}
	host, err := cgroup.Detect(h)
	if err != nil {
		t.Fatal(err)
	}
	return h, NewLoads(host, func() time.Duration { return h.now })
}

// put sets the processes of a cgroup: "R", "S", "D", or "S*3" for one of three
// threads. Their pids begin at first, their inner ones at 1.
func (h *hall) put(cg string, first int, tasks ...string) *container.Container {
	var procs strings.Builder
	for i, task := range tasks {
		pid, threads := first+i, 1
		state, many, _ := strings.Cut(task, "*")
		fmt.Sscan(many, &threads)
		fmt.Fprintln(&procs, pid)
		stat := fmt.Sprintf("%d (x) %s 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 %d 0 99 0\n", pid, state, threads)
		h.Files[fmt.Sprintf("/proc/%d/stat", pid)] = stat
		h.Files[fmt.Sprintf("/proc/%d/status", pid)] = fmt.Sprintf("Name:\tx\nNStgid:\t%d\t%d\t%d\n", pid, i+1, 1)
		for n := range threads {
			if threads > 1 {
				h.Files[fmt.Sprintf("/proc/%d/task/%d/stat", pid, 100*pid+n)] = stat
			}
		}
	}
	h.Files["/sys/fs/cgroup"+cg+"/cgroup.procs"] = procs.String()
	return &container.Container{
		Key:        container.Key{Inode: uint64(first)},
		StartTicks: 99,
		PIDDepth:   2,
		CgroupPath: cg,
		Top:        cg,
		Membership: cgroup.Membership{{Path: cg}},
	}
}

func TestLoad(t *testing.T) {
	h, loads := newHall(t)
	c := h.put("/a", 10, "R", "D", "S*3")
	h.put("/a/b", 20, "R*2")
	for _, cg := range []string{"/a/b/c", "/a/b/c/d", "/a/b/c/d/e"} {
		h.put(cg, 1)
	}
	h.put("/a/b/c/d/e/f", 30, "S")
	got, err := loads.read(c)
	if err != nil {
		t.Fatal(err)
	}
	if got.running != 3 || got.blocked != 1 || got.threads != 8 || got.lastPID != 1 {
		t.Errorf("got %+v, want 3 running, 1 blocked, 8 threads, last pid 1", got.census)
	}
	if want := aged(time.Hour-99*tick, 4); got.average != want {
		t.Errorf("seeded with %v, want %v", got.average, want)
	}
	h.put("/a", 10, "S", "S", "S")
	h.put("/a/b", 20, "S")
	h.now += loadInterval
	loads.Tick()
	got, _ = loads.read(c)
	if want := aged(time.Hour-99*tick, 4).after(1, 0); got.average != want || got.running != 0 {
		t.Errorf("after a tick %+v, want %v", got, want)
	}
}

// A container that was busy when it was first read, 37 s after its start, is
// half as busy after half a minute of nothing; ticks that come late, early or not
// at all are no matter.
func TestLoadDecays(t *testing.T) {
	for name, waits := range map[string][]time.Duration{
		"in time":   {5 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second},
		"with skew": {4 * time.Second, 6 * time.Second, 7 * time.Second, 3 * time.Second, 5500 * time.Millisecond, 4500 * time.Millisecond},
		"late":      {5 * time.Second, 25 * time.Second},
		"once":      {30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			h, loads := newHall(t)
			c := h.put("/a", 10, "R", "R", "R", "R", "R", "R", "R", "R", "D")
			h.now = time.Duration(c.StartTicks)*tick + 37*time.Second
			got, err := loads.read(c)
			if text := shown(got.average); err != nil || text != "3.99 0.99 0.33" {
				t.Fatalf("first read: got %s, %v, want 3.99 0.99 0.33", text, err)
			}
			h.put("/a", 10, "S", "S", "S", "S", "S", "S", "S", "S", "S")
			for _, wait := range waits {
				h.now += wait
				loads.Tick()
			}
			got, _ = loads.read(c)
			for i, want := range []float64{3.99 * 0.6065, 0.99 * 0.9048, 0.33 * 0.9672} {
				if f := float64(got.average[i]) / fixedOne; f < want-0.02 || f > want+0.02 {
					t.Errorf("after 30 s of nothing: got %s, want %.2f in the place of average %d", shown(got.average), want, i)
				}
			}
		})
	}
}

// The last pid is in the container's own numbering, and does not go back while
// the container is watched.
func TestLastPID(t *testing.T) {
	h, loads := newHall(t)
	c := h.put("/a", 10, "S", "S", "S")
	if got, _ := loads.read(c); got.lastPID != 3 {
		t.Errorf("last pid %d, want 3", got.lastPID)
	}
	h.put("/a", 10, "S")
	h.now += loadInterval
	loads.Tick()
	if got, _ := loads.read(c); got.lastPID != 3 {
		t.Errorf("last pid %d, want 3 still", got.lastPID)
	}
	c.PIDDepth = 7 // a process from outside shows no pid of the host
	c.Key.Inode++
	if got, _ := loads.read(c); got.lastPID != 0 {
		t.Errorf("last pid %d, want 0", got.lastPID)
	}
}

func TestCensusIsFreshWhereCheap(t *testing.T) {
	h, loads := newHall(t)
	small, big := h.put("/small", 10, "S"), h.put("/big", 20, fmt.Sprintf("S*%d", cheapThreads+1))
	for _, test := range []struct {
		c    *container.Container
		want int64
	}{{small, 2}, {big, 0}} { // cgroup.procs and a stat; the last pid is the same
		if _, err := loads.read(test.c); err != nil {
			t.Fatal(err)
		}
		before := h.reads.Load()
		loads.read(test.c)
		if n := h.reads.Load() - before; n != 0 {
			t.Errorf("%s: %d reads at once after the first", test.c.CgroupPath, n)
		}
		h.now += censusAge
		loads.read(test.c)
		if n := h.reads.Load() - before; n != test.want {
			t.Errorf("%s: %d reads a second later, want %d", test.c.CgroupPath, n, test.want)
		}
	}
}

// Where no CPU time was used and nobody was running, a tick looks at no process;
// but not for ever, for a process that never ran may have been put in.
func TestIdleTick(t *testing.T) {
	h, loads := newHall(t)
	c := h.put("/a", 10, "D", "S")
	stat := func(usec int) {
		h.Files["/sys/fs/cgroup/a/cpu.stat"] = fmt.Sprintf("usage_usec %d\nuser_usec 0\nsystem_usec 0\n", usec)
	}
	stat(100)
	tick := func() int64 {
		before := h.reads.Load()
		h.now += loadInterval
		loads.Tick()
		return h.reads.Load() - before
	}
	if _, err := loads.read(c); err != nil {
		t.Fatal(err)
	}
	full := tick()
	for range idleTicks {
		if n := tick(); n != 1 {
			t.Fatalf("an idle tick made %d reads, want that of cpu.stat", n)
		}
	}
	if n := tick(); n != full {
		t.Errorf("after %d idle ticks %d reads, want %d", idleTicks, n, full)
	}
	if n := tick(); n != 1 {
		t.Errorf("idle again: %d reads, want 1", n)
	}
	stat(101)
	if n := tick(); n != full {
		t.Errorf("after CPU time was used %d reads, want %d", n, full)
	}
	h.put("/a", 10, "R", "S")
	stat(102)
	tick()
	if n := tick(); n != full {
		t.Errorf("with a task that runs %d reads, want %d", n, full)
	}
	h.now -= loadInterval // no census for the reader
	if got, err := loads.read(c); err != nil || got.running != 1 || got.average[0] == 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestForgotten(t *testing.T) {
	h, loads := newHall(t)
	read, unread, gone := h.put("/read", 10, "S"), h.put("/unread", 20, "S"), h.put("/gone", 30, "S")
	for _, c := range []*container.Container{read, unread, gone} {
		if _, err := loads.read(c); err != nil {
			t.Fatal(err)
		}
	}
	delete(h.Files, "/sys/fs/cgroup/gone/cgroup.procs")
	h.now += loadKept
	loads.read(read)
	h.now++
	loads.Tick()
	if n := len(loads.watched); n != 1 || loads.watched[read.Key] == nil {
		t.Errorf("%d watched, want the one that is read", n)
	}
	if _, err := loads.read(gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v for a cgroup that is gone", err)
	}
	if n := len(loads.watched); n != 1 {
		t.Errorf("%d watched after a failure", n)
	}
}

func TestForgetLoad(t *testing.T) {
	h, loads := newHall(t)
	a := h.put("/a", 10, "S")
	twin := &container.Container{Key: container.Key{Inode: a.Key.Inode, StartTicks: 1}, Top: a.Top, CgroupPath: a.CgroupPath, Membership: a.Membership}
	for _, c := range []*container.Container{a, twin} {
		if _, err := loads.read(c); err != nil {
			t.Fatal(err)
		}
	}
	loads.Forget(a.Key)
	loads.Forget(a.Key)
	if loads.watched[twin.Key] == nil || len(loads.groups) != 1 {
		t.Errorf("%d watched in %d cgroups, want the twin", len(loads.watched), len(loads.groups))
	}
	loads.Forget(twin.Key)
	h.now += loadInterval
	loads.Tick()
	if len(loads.watched)+len(loads.groups)+len(loads.tops) != 0 {
		t.Errorf("left: %d containers, %d cgroups, %d allowances", len(loads.watched), len(loads.groups), len(loads.tops))
	}
}

// A container of too many threads is counted as far as that goes.
func TestTooManyTasks(t *testing.T) {
	h, loads := newHall(t)
	many := make([]string, maxTasks+10)
	for i := range many {
		many[i] = "R"
	}
	got, err := loads.read(h.put("/a", 100, many...))
	if err != nil || got.threads != maxTasks {
		t.Errorf("got %d threads, %v, want %d", got.threads, err, maxTasks)
	}
}

// While one container is counted for the first time, others are served, and
// further readers of this one wait for the same count.
func TestFirstCountHoldsNobodyUp(t *testing.T) {
	h, loads := newHall(t)
	slow, quick := h.put("/slow", 10, "R"), h.put("/quick", 20, "S")
	reached, release := make(chan struct{}), make(chan struct{})
	var counts atomic.Int64
	h.before = func(name string) {
		if name == "/proc/10/stat" {
			if counts.Add(1) == 1 {
				close(reached)
			}
			<-release
		}
	}
	var all sync.WaitGroup
	read := func() {
		defer all.Done()
		if got, err := loads.read(slow); err != nil || got.running != 1 {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	all.Add(1)
	go read()
	<-reached
	all.Add(2)
	go read()
	go read()
	if _, err := loads.read(quick); err != nil { // hangs if the lock is held
		t.Error(err)
	}
	loads.Tick() // so does this
	close(release)
	all.Wait()
	if n := counts.Load(); n != 1 {
		t.Errorf("counted %d times, want once", n)
	}
}
