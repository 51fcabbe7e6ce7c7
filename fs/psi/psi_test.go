package psi

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		text       string
		privileged bool
		want       Trigger
		wrong      bool
	}{
		{"some 150000 1000000\n", true, Trigger{false, 150 * time.Millisecond, time.Second}, false},
		{"full 150000 1000000\x00", true, Trigger{true, 150 * time.Millisecond, time.Second}, false},
		{"some 150000 2000000\n", false, Trigger{false, 150 * time.Millisecond, 2 * time.Second}, false},
		{"some 150000 1000000\n", false, Trigger{}, true},
		{"some 150000 500000\n", true, Trigger{false, 150 * time.Millisecond, 500 * time.Millisecond}, false},
		{"some 150000 499999\n", true, Trigger{}, true},
		{"some 150000 10000000\n", false, Trigger{false, 150 * time.Millisecond, 10 * time.Second}, false},
		{"some 150000 10000001\n", true, Trigger{}, true},
		{"some 0 1000000\n", true, Trigger{}, true},
		{"some 1000000 1000000\n", true, Trigger{false, time.Second, time.Second}, false},
		{"some 1000001 1000000\n", true, Trigger{}, true},
		{"some150000\t\n 1000000x\n", true, Trigger{false, 150 * time.Millisecond, time.Second}, false},
		{"some 150000 1000000 and more\n", true, Trigger{false, 150 * time.Millisecond, time.Second}, false},
		{"some 150000 10000000", true, Trigger{false, 150 * time.Millisecond, time.Second}, false}, // the last byte is the NUL's
		{" some 150000 1000000\n", true, Trigger{}, true},
		{"some 150000\n", true, Trigger{}, true},
		{"some -1 1000000\n", true, Trigger{}, true},
		{"some +1 1000000\n", true, Trigger{}, true},
		{"some 0x10 1000000\n", true, Trigger{}, true},
		{"some 4294967446 1000000\n", true, Trigger{}, true},
		{"some 150000\x00 1000000\n", true, Trigger{}, true},
		{"somefull 150000 1000000\n", true, Trigger{}, true},
		{"half 150000 1000000\n", true, Trigger{}, true},
		{"some 150000                       1000000\n", true, Trigger{}, true}, // behind the 32nd byte
		{"\n", true, Trigger{}, true},
		{"", true, Trigger{}, true},
	} {
		got, err := Parse([]byte(tt.text), tt.privileged)
		if got != tt.want || errors.Is(err, syscall.EINVAL) != tt.wrong {
			t.Errorf("%q, privileged %v: got %+v, %v, want %+v", tt.text, tt.privileged, got, err, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"some 150000 1000000\n", "full 1 2000000", "some", "full  9 99999999999\n", "\x00some 1 1"} {
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, privileged bool) {
		got, err := Parse(text, privileged)
		if err != nil {
			if !errors.Is(err, syscall.EINVAL) || got != (Trigger{}) {
				t.Errorf("%q: %+v, %v", text, got, err)
			}
			return
		}
		word := "some"
		if got.Full {
			word = "full"
		}
		again, err := Parse(fmt.Appendf(nil, "%s %d %d\n", word, got.Threshold.Microseconds(), got.Window.Microseconds()), privileged)
		if again != got || err != nil || !got.allowed(privileged) {
			t.Errorf("%q: %+v, and again %+v, %v", text, got, again, err)
		}
	})
}

func TestWindow(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name   string
		totals []time.Duration // one each 100 ms
		want   time.Duration   // of the last
	}{
		{"first", []time.Duration{5 * s}, 0},
		{"no stall", []time.Duration{5 * s, 5 * s, 5 * s}, 0},
		{"within", []time.Duration{0, 10, 30}, 30},
		{"what is older than the window is not counted", []time.Duration{0, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 107}, 7},
		{"a total that goes back", []time.Duration{50, 40}, 0},
	} {
		var w window
		var got time.Duration
		for i, total := range tt.totals {
			got = w.add(time.Duration(i)*s/10, total, s)
		}
		if got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
	var late window
	late.add(0, 0, s)
	if got := late.add(10*s, 1000, s); got != 100 {
		t.Errorf("ten seconds late: got %d, want the average 100", got)
	}
}

// world is a machine with one container in /box, and a clock.
type world struct {
	*hosttest.Archive
	now     time.Duration
	engine  *Engine
	woken   []uint64
	records map[uint64][]byte
}

const boxDir = "/sys/fs/cgroup/box"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: 1000 * time.Second, records: make(map[uint64][]byte)}
	w.Archive = &hosttest.Archive{
		Files: map[string]string{
			"/proc/self/mountinfo":      "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n",
			"/proc/pressure/memory":     pressure(0, 0),
			"/proc/pressure/irq":        "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
			boxDir + "/memory.pressure": pressure(0, 0),
			"/proc/1/status":            "Name:\tx\nCapEff:\t000001ffffffffff\n",
			"/proc/2/status":            "Name:\tx\nCapEff:\t000001fffeffffff\n",
		},
		Errors: make(map[string]error),
	}
	w.start(t)
	return w
}

// start makes a new engine, as another process does.
func (w *world) start(t *testing.T) {
	t.Helper()
	host, err := cgroup.Detect(w)
	if err != nil {
		t.Fatal(err)
	}
	w.engine = New(Config{
		Host: host, Resolver: w, Clock: func() time.Duration { return w.now },
		Notify: func(kh uint64) { w.woken = append(w.woken, kh) },
		Keep:   func(fh uint64, record []byte) { w.records[fh] = record },
		Drop:   func(fh uint64) { delete(w.records, fh) },
	})
}

func pressure(some, full time.Duration) string {
	return fmt.Sprintf("some avg10=0.00 avg60=0.00 avg300=0.00 total=%d\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=%d\n", some.Microseconds(), full.Microseconds())
}

// Resolve takes threads up to 9 for those of a container, each in one of its own in that, all others for the host's.
func (w *world) Resolve(tid uint32) (container.Decision, error) {
	if tid > 9 {
		return container.Decision{}, nil
	}
	m, err := cgroup.ParseMembership([]byte("0::/box\n"))
	return container.Decision{Container: &container.Container{Key: container.Key{Inode: uint64(tid)}, Top: "/box", Membership: m}}, err
}

// advance lets time pass in steps of 100 ms, with so much stall in each.
func (w *world) advance(d, stallPerStep time.Duration) {
	p, _ := cgroup.ParsePressure([]byte(w.Files[boxDir+"/memory.pressure"]))
	total := time.Duration(p.Some.TotalUsec) * time.Microsecond
	for range d / (100 * time.Millisecond) {
		w.now += 100 * time.Millisecond
		total += stallPerStep
		w.Files[boxDir+"/memory.pressure"] = pressure(total, total/2)
		w.engine.tick()
	}
}

func (w *world) wantPoll(t *testing.T, what string, fh uint64, want uint32) {
	t.Helper()
	if got := w.engine.Poll(fh, 100+fh, true); got != want {
		t.Errorf("%s: poll says %#x, want %#x", what, got, want)
	}
}

// An event wakes the poller once, and is polled once; the next comes a window
// later.
func TestEvents(t *testing.T) {
	w := newWorld(t)
	w.wantPoll(t, "no trigger", 5, ready|pri|fail)
	if err := w.engine.Add(5, 1, "memory", []byte("some 150000 1000000\n"), false); err != nil {
		t.Fatal(err)
	}
	w.wantPoll(t, "no stall", 5, ready)
	w.advance(time.Second, 10*time.Millisecond)
	if w.wantPoll(t, "too little stall", 5, ready); len(w.woken) != 0 {
		t.Errorf("woken %d", w.woken)
	}
	w.advance(time.Second, 20*time.Millisecond)
	if !slices.Equal(w.woken, []uint64{105}) {
		t.Errorf("woken %d, want 105 once", w.woken)
	}
	w.wantPoll(t, "enough stall", 5, ready|pri)
	w.wantPoll(t, "polled already", 5, ready)
	w.woken = nil
	w.advance(3*time.Second, 20*time.Millisecond)
	if n := len(w.woken); n < 2 || n > 3 {
		t.Errorf("woken %d times in 3 windows", n)
	}
	w.engine.Remove(5)
	if w.wantPoll(t, "closed", 5, ready|pri|fail); len(w.records) != 0 {
		t.Errorf("%d records left", len(w.records))
	}
	if w.engine.tick() != time.Hour {
		t.Error("the clock ticks for nobody")
	}
}

func TestAddRefuses(t *testing.T) {
	w := newWorld(t)
	add := func(fh uint64, tid uint32, resource, text string, again bool) error {
		return w.engine.Add(fh, tid, resource, []byte(text), again)
	}
	const valid = "full 150000 2000000\n"
	for _, tt := range []struct {
		name string
		got  error
		want error
	}{
		{"grammar", add(1, 1, "memory", "full 1", false), syscall.EINVAL},
		{"1 s without CAP_SYS_RESOURCE", add(1, 2, "memory", "full 150000 1000000\n", false), syscall.EINVAL},
		{"1 s of an unseen thread", add(1, 0, "memory", "full 150000 1000000\n", false), syscall.EINVAL},
		{"some of irq", add(1, 10, "irq", "some 150000 2000000\n", false), syscall.EINVAL},
		{"no such pressure", add(1, 10, "io", valid, false), syscall.EOPNOTSUPP},
		{"full of irq", add(1, 10, "irq", valid, false), nil},
		{"unprivileged", add(2, 2, "memory", valid, false), nil},
		{"second of a handle", add(2, 2, "memory", valid, false), syscall.EBUSY},
		{"the first, replayed", add(2, 2, "memory", valid, true), nil},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	for fh := uint64(3); fh < 3+maxOfOne-1; fh++ {
		if err := add(fh, uint32(1+fh%9), "memory", valid, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(99, 1, "memory", valid, false); !errors.Is(err, syscall.ENOMEM) {
		t.Errorf("too many of one container and those in it: %v", err)
	}
	w.engine.Remove(3)
	if err := add(99, 1, "memory", valid, false); err != nil {
		t.Errorf("after another was closed: %v", err)
	}
	for fh := uint64(100); ; fh++ {
		if err := add(fh, 10, "memory", valid, false); err != nil {
			if !errors.Is(err, syscall.ENOMEM) || fh < 200 {
				t.Errorf("trigger %d of the host: %v", fh, err)
			}
			break
		}
	}
}

// Triggers of one file are read together, and the host's goes by its own file.
func TestHostTrigger(t *testing.T) {
	w := newWorld(t)
	if err := w.engine.Add(1, 10, "memory", []byte("some 150000 2000000\n"), false); err != nil {
		t.Fatal(err)
	}
	w.advance(3*time.Second, 100*time.Millisecond) // in the container
	w.wantPoll(t, "somebody else's stall", 1, ready)
	w.Files["/proc/pressure/memory"] = pressure(time.Second, 0)
	w.advance(time.Second, 0)
	w.wantPoll(t, "the host's stall", 1, ready|pri)
}

// When the cgroup goes away its pollers hear of it.
func TestCgroupGone(t *testing.T) {
	for _, err := range []error{syscall.ENODEV, syscall.EOPNOTSUPP} {
		w := newWorld(t)
		if err := w.engine.Add(1, 1, "memory", []byte("some 150000 1000000\n"), false); err != nil {
			t.Fatal(err)
		}
		w.wantPoll(t, "alive", 1, ready)
		w.Errors[boxDir+"/memory.pressure"] = syscall.EMFILE
		w.now += time.Second
		w.engine.tick()
		w.wantPoll(t, "a failure that passes", 1, ready)
		w.Errors[boxDir+"/memory.pressure"] = err
		w.now += time.Second
		w.engine.tick()
		w.wantPoll(t, err.Error(), 1, ready|pri|fail)
		if !slices.Equal(w.woken, []uint64{101}) {
			t.Errorf("%v: woken %d", err, w.woken)
		}
	}
}

// A successor goes on with the triggers; each fires once, for nobody knows what
// happened in between.
func TestRestore(t *testing.T) {
	w := newWorld(t)
	for fh, tid := range map[uint64]uint32{1: 1, 2: 10} {
		if err := w.engine.Add(fh, tid, "memory", []byte("some 150000 2000000\n"), false); err != nil {
			t.Fatal(err)
		}
	}
	w.wantPoll(t, "before", 1, ready)
	w.records[3] = []byte("no record")
	w.records[4] = []byte(`{"path":"/etc/passwd","threshold":5,"window":1}`)
	w.records[5] = []byte(`{"path":"/proc/pressure/memory","Owner":[7,8],"threshold":150000000,"window":2000000000}`) // of an earlier version
	w.start(t)
	for fh, record := range w.records {
		w.engine.Restore(fh, record)
	}
	if !slices.Equal(w.woken, []uint64{101}) {
		t.Errorf("woken %d, want the one who polled", w.woken)
	}
	w.wantPoll(t, "after", 1, ready|pri)
	w.wantPoll(t, "after, the host's", 2, ready|pri)
	w.wantPoll(t, "no trigger", 3, ready|pri|fail)
	w.wantPoll(t, "polled again", 1, ready)
	w.advance(3*time.Second, 20*time.Millisecond)
	w.wantPoll(t, "a new event", 1, ready|pri)
	if w.engine.owned["[7 8]"] != 1 {
		t.Errorf("an earlier version's: owned %v", w.engine.owned)
	}
	w.engine.Remove(5)
	if len(w.records) != 2 || w.engine.owned["/box"] != 1 {
		t.Errorf("%d records, owned %v", len(w.records), w.engine.owned)
	}
}

// A cgroup of the same name is not the same cgroup.
func TestRestoreOfAnotherCgroup(t *testing.T) {
	w := newWorld(t)
	if err := w.engine.Add(1, 1, "memory", []byte("some 150000 2000000\n"), false); err != nil {
		t.Fatal(err)
	}
	w.Dirs = map[string]hostfile.Info{boxDir: {Inode: 12345}}
	w.start(t)
	w.engine.Restore(1, w.records[1])
	w.wantPoll(t, "after", 1, ready|pri|fail)
}
