package session

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestDegradedUntil(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name   string
		deaths []time.Duration // 0: killed
		want   time.Duration
	}{
		{"none", nil, 0},
		{"two crashes", []time.Duration{100 * s, 101 * s}, 0},
		{"three", []time.Duration{100 * s, 101 * s, 109 * s}, 119 * s},
		{"three in more than ten seconds", []time.Duration{100 * s, 101 * s, 110 * s}, 0},
		{"a storm of kills", make([]time.Duration, 300), 0},
		{"kills between crashes", []time.Duration{100 * s, 0, 0, 101 * s, 0, 102 * s, 0}, 112 * s},
		{"crashes of long ago", []time.Duration{1 * s, 2 * s, 3 * s, 100 * s, 101 * s}, 0},
		{"the third in a row", []time.Duration{1 * s, 99 * s, 100 * s, 101 * s}, 111 * s},
		{"more than are kept", []time.Duration{1 * s, 2 * s, 3 * s, 0, 0, 0, 0, 0, 0, 0}, 0},
	} {
		j, err := createJournal(MinSlots, minReadBuffer, os.Getpagesize())
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range tt.deaths {
			j.noteDeath(at)
		}
		if got := j.degradedUntil(); got != tt.want {
			t.Errorf("%s: until %v, want %v", tt.name, got, tt.want)
		}
		if err := j.unmap(); err != nil {
			t.Error(err)
		}
		unix.Close(j.fd)
	}
}

// TestCrashOrKill: a death counts as a crash when the runtime had something to
// say, in the journal of this connection or of another one.
func TestCrashOrKill(t *testing.T) {
	for _, tt := range []struct {
		name    string
		said    string
		crashed bool // of another connection
		want    bool
	}{
		{"killed", "", false, false},
		{"crashed", "panic: runtime error: index out of range", false, true},
		{"crashed at length", "fatal error: " + string(make([]byte, 3*blockSize)), false, true},
		{"as another journal says", "", true, true},
	} {
		k := newFakeKernel(t)
		j := k.crashed(Config{})
		for range crashesTolerated {
			s := k.restore(j, Config{Crashed: tt.crashed}, newTestFS())
			j = dup(t, s.JournalFD())
			if err := s.KeepCrash(); err != nil {
				t.Fatal(err)
			}
			if Crashed(j) {
				t.Errorf("%s: what the last process said is still there", tt.name)
			}
			if s.Degraded() && !tt.crashed { // it needs three
				t.Errorf("%s: degraded too early", tt.name)
			}
			unix.Write(j, []byte(tt.said)) // where the runtime writes; what there is no room for is refused
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if got := Crashed(j); got != (tt.said != "") {
				t.Errorf("%s: crashed: %v", tt.name, got)
			}
		}
		s := k.restore(j, Config{Crashed: tt.crashed}, newTestFS())
		if s.Degraded() != tt.want {
			t.Errorf("%s: degraded: %v, want %v", tt.name, !tt.want, tt.want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if Crashed(-1) {
		t.Error("what is no journal tells of a crash")
	}
}
