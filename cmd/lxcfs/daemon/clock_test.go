package daemon

import (
	"testing"
	"time"
)

// fakeClocks are three clocks of a machine that runs, sleeps and sets its wall
// clock.
type fakeClocks struct {
	wall, running, boot time.Duration
	asked               int
}

func (f *fakeClocks) run(d time.Duration)   { f.wall += d; f.running += d; f.boot += d }
func (f *fakeClocks) sleep(d time.Duration) { f.wall += d; f.boot += d }

func (f *fakeClocks) clock() *sleepless {
	return &sleepless{
		fast:  func() (time.Duration, time.Duration) { return f.wall, f.running },
		exact: func() time.Duration { f.asked++; return f.boot },
	}
}

func TestSleepless(t *testing.T) {
	f := &fakeClocks{wall: 1e18, running: 5 * time.Second, boot: time.Hour}
	c := f.clock()
	steps := []struct {
		what  string
		do    func()
		asked bool
	}{
		{"the first", func() {}, true},
		{"it ran", func() { f.run(time.Second) }, false},
		{"it ran for a year", func() { f.run(365 * 24 * time.Hour) }, false},
		{"it slept", func() { f.sleep(time.Minute) }, true},
		{"it ran on", func() { f.run(time.Microsecond) }, false},
		{"it slept and ran", func() { f.sleep(2 * time.Millisecond); f.run(time.Hour) }, true},
		{"the wall clock was set back", func() { f.wall -= time.Hour }, true},
		{"and forward", func() { f.wall += 24 * time.Hour }, true},
		{"nothing", func() {}, false},
	}
	for _, s := range steps {
		s.do()
		before := f.asked
		if got := c.now(); got != f.boot {
			t.Errorf("%s: got %v, want %v", s.what, got, f.boot)
		}
		if asked := f.asked > before; asked != s.asked {
			t.Errorf("%s: asked the kernel: %v, want %v", s.what, asked, s.asked)
		}
	}
}

// A thread that lost its processor between two clocks looks again.
func TestSleeplessInterrupted(t *testing.T) {
	f := &fakeClocks{boot: time.Hour}
	c := f.clock()
	interruptions := 3
	c.fast = func() (time.Duration, time.Duration) {
		wall, running := f.wall, f.running
		if interruptions > 0 {
			interruptions--
			f.run(time.Second)
		}
		return wall, running
	}
	for range 3 {
		if got := c.now(); got != f.boot {
			t.Errorf("got %v, want %v", got, f.boot)
		}
	}
}

func TestBootClock(t *testing.T) {
	for range 1000 {
		before := bootTime()
		got := bootClock()
		after := bootTime()
		if got < before-apart || got > after+apart {
			t.Fatalf("got %v, want between %v and %v", got, before, after)
		}
	}
}
