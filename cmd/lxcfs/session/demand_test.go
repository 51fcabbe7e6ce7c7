package session

import (
	"sync/atomic"
	"testing"
	"time"
)

func TestDemand(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	d := demand{readers: 1, most: 2}
	for _, step := range []struct {
		what        string
		waited, now time.Duration
		more        bool
		readers     int
	}{
		{"a lone reader", 50 * us, 1 * ms, false, 1},
		{"a request was there", 5 * us, 2 * ms, false, 1},
		{"another", 10 * us, 3 * ms, false, 1},
		{"one was waited for", 11 * us, 4 * ms, false, 1},
		{"pressed", 1 * us, 5 * ms, false, 1},
		{"not long enough", 1 * us, 7*ms - 1, false, 1},
		{"for two milliseconds", 1 * us, 7 * ms, true, 2},
		{"there are no more", 1 * us, 20 * ms, false, 2},
		{"a short wait", 100 * us, 21 * ms, false, 2},
		{"in vain", 101 * us, 22 * ms, false, 1},
		{"one always reads", time.Hour, time.Hour, false, 1},
	} {
		if more := d.took(step.waited, step.now); more != step.more || d.readers != step.readers {
			t.Errorf("%s: got %v, %d readers, want %v, %d", step.what, more, d.readers, step.more, step.readers)
		}
	}
}

func TestMaxReaders(t *testing.T) {
	for cpus, want := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 15: 7, 16: 8, 256: 8} {
		if got := maxReaders(cpus); got != want {
			t.Errorf("%d CPUs: got %d, want %d", cpus, got, want)
		}
	}
}

// TestReadersByDemand: more read while requests queue up, one when they don't.
func TestReadersByDemand(t *testing.T) {
	k := newFakeKernel(t)
	const most = 3
	s, _ := k.start(Config{Readers: most}, newTestFS())
	readers := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.demand.readers
	}
	var last atomic.Uint64
	answered := make(chan struct{})
	go func() { // who takes the answers, all but those that come after the last
		defer close(answered)
		for r := range k.replies {
			if outHeaderOf(r).unique == last.Load() {
				return
			}
		}
	}()
	unique := uint64(1000)
	for end := time.Now().Add(10 * time.Second); readers() < most && time.Now().Before(end); unique += 2 {
		k.getattr(unique, 1)
	}
	if got := readers(); got != most {
		t.Errorf("got %d readers while requests queue up, want %d", got, most)
	}
	last.Store(unique)
	k.getattr(unique, 1)
	<-answered
	ask := func() {
		unique += 2
		k.getattr(unique, 1)
		k.answer()
	}
	eventually(t, "one reader again", func() bool { ask(); return readers() == 1 })
	eventually(t, "the others wait", func() bool { ask(); return s.Stats().Reading <= 1 })
}
