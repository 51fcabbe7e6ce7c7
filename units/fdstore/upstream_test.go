package fdstore

import (
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// What the worker says reaches the keeper's own manager as if the keeper had said
// it, with the descriptors; what the worker does not know is left out.
func TestUpstreamIsTold(t *testing.T) {
	above := newRecorder()
	manager, client := pair(t, ManagerConfig{Max: 4, Report: above.report})
	r := runKeeper(t, Config{Command: func() *exec.Cmd { return role(t, "worker") }, Max: 4, Upstream: client})
	pid, _ := r.status(t)
	above.wait(t, Ready)
	if e := above.wait(t, Status); e.Text[:9] != "start 1 f" {
		t.Errorf("status: got %q", e.Text)
	}
	if got := manager.Names(); !slices.Equal(got, []string{"counter"}) {
		t.Errorf("stored above: got %q", got)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, words := r.status(t); words[1] != "2" || words[3] != "1" {
		t.Errorf("second worker: got %q", words)
	}
	above.wait(t, Ready)
	if got := manager.Names(); !slices.Equal(got, []string{"counter"}) {
		t.Errorf("stored above: got %q", got)
	}
	r.signals <- syscall.SIGTERM
	above.wait(t, Stopping)
	manager.Clear() // or it counts as a leak of the keeper's
}

func TestWithoutOwn(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"READY=1\nSTATUS=a=b\n", "READY=1\nSTATUS=a=b"},
		{"WATCHDOG=1", ""},
		{"WATCHDOG=1\x00", ""},
		{"RELOADING=1\nWATCHDOG=trigger\nMONOTONIC_USEC=1", "RELOADING=1\nMONOTONIC_USEC=1"},
		{"MAINPID=1\nMAINPIDFDID=2\nWATCHDOG_USEC=0\nFDSTORE=1\nFDNAME=x", "FDSTORE=1\nFDNAME=x"},
		{"", ""},
	} {
		if got := withoutOwn(row.in); got != row.want {
			t.Errorf("%q: got %q, want %q", row.in, got, row.want)
		}
	}
}

// A keeper that cannot start a worker is alive all the same.
func TestBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(func(f *fake) {
			if f.pid < 20 {
				f.end(128 + 11)
				return
			}
			time.Sleep(time.Minute)
			f.end(0)
		})
		ticker := time.NewTicker(10 * time.Second)
		defer ticker.Stop()
		begin, last, longest := time.Now(), time.Now(), time.Duration(0)
		s.everUp = true // one that never was gives up
		s.beats, s.beat = ticker.C, func() {
			longest, last = max(longest, time.Since(last)), time.Now()
		}
		if err := s.run(t.Context(), s.signals); err != nil {
			t.Fatal(err)
		}
		if s.count(Delayed) == 0 || time.Since(begin) < 90*time.Second {
			t.Fatalf("%d delays in %v: nothing was tried", s.count(Delayed), time.Since(begin))
		}
		if longest > 10*time.Second || time.Since(last) > 10*time.Second {
			t.Errorf("longest pause: got %v, and %v at the end", longest, time.Since(last))
		}
	})
}

// A worker that says that no other will do better is the last.
func TestFinalStatus(t *testing.T) {
	for _, row := range []struct {
		code int
		want int // workers
	}{{64, 1}, {69, 1}, {65, 2}, {128 + 11, 2}} {
		synctest.Test(t, func(t *testing.T) {
			var s *stage
			s = newStage(func(f *fake) {
				if f.pid == 2 {
					f.end(0)
				}
				s.say(Ready)
				f.end(row.code)
			})
			s.stored = func() int { return 4 }
			s.final = []int{64, 69}
			if err := s.run(t.Context(), s.signals); (err == nil) != (row.want == 2) || len(s.processes) != row.want {
				t.Errorf("status %d: got %v after %d workers, want %d", row.code, err, len(s.processes), row.want)
			}
		})
	}
}

// A keeper beats at once: one that is executed anew more often than its ticker
// ticks was killed by the service manager's watchdog.
func TestFirstBeat(t *testing.T) {
	above := newRecorder()
	_, client := pair(t, ManagerConfig{Max: 4, Report: above.report})
	command := func() *exec.Cmd { return role(t, "mute") }
	runKeeper(t, Config{Command: command, Max: 4, Upstream: client, Watchdog: time.Hour, StopTimeout: time.Second})
	above.wait(t, Alive)
}
