//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/test/servicemanager"
)

// stormCount is how often a daemon is killed; $LXCFS_TEST_STORM. The other ends
// are a fifth of that.
func stormCount() int {
	if n, err := strconv.Atoi(os.Getenv("LXCFS_TEST_STORM")); err == nil && n > 0 {
		return n
	}
	return 120
}

// storm is one way to end a daemon, many times over.
type storm struct {
	name  string
	count int
	// end ends the daemon or has it executed anew, and waits for the next.
	end func(s *service, i int) error
}

func storms() []storm {
	n := stormCount()
	return []storm{
		{"SIGKILL", n, func(s *service, _ int) error { return s.kill() }},
		{"SIGUSR1", n / 5, func(s *service, i int) error {
			if i%5 == 0 { // one comes while another is being obeyed
				s.Kill(unix.SIGUSR1)
			}
			return s.takeOver()
		}},
		{"other version", n / 5, func(s *service, i int) error {
			s.alternate(i)
			switch i % 3 {
			case 0:
				return s.Restart(s.ctx)
			case 1:
				return s.kill()
			}
			return s.takeOver()
		}},
	}
}

// kill kills the daemon and waits for the next.
func (s *service) kill() error {
	killed, err := s.Kill(unix.SIGKILL)
	if err != nil {
		return err
	}
	_, err = s.Wait(s.ctx, func(state servicemanager.State) bool { return state.PID != killed && state.Ready })
	return err
}

// takeOver has the daemon execute its program anew and waits until it is ready.
func (s *service) takeOver() error {
	before := s.State()
	if _, err := s.Kill(unix.SIGUSR1); err != nil {
		return err
	}
	after, err := s.Wait(s.ctx, func(state servicemanager.State) bool { return state.Reloads > before.Reloads && state.Ready })
	if err == nil && after.PID != before.PID {
		err = fmt.Errorf("process %d became %d", before.PID, after.PID)
	}
	return err
}

// alternate puts another version in the place of the program, as an upgrade does.
func (s *service) alternate(i int) {
	s.t.Helper()
	source := binary
	if i%2 == 0 {
		source = otherBinary(s.t)
	}
	next := s.program + ".new"
	os.Remove(next)
	if err := os.Link(source, next); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(next, s.program); err != nil {
		s.t.Fatal(err)
	}
}

// No reader sees a daemon end, whichever way and how often: sixteen of them on
// four mounts, and the daemon is nobody.
func TestServiceStorm(t *testing.T) {
	for _, st := range storms() {
		t.Run(st.name, func(t *testing.T) {
			if raceEnabled {
				st.count /= 5
			}
			st.run(t)
		})
	}
}

func (st storm) run(t *testing.T) {
	s := newService(t, nobody)
	dirs := s.up("a", "b", "c", "d")
	var all []*readers
	for _, dir := range dirs {
		all = append(all, startReaders(&daemon{t: t, dir: dir}, 4))
	}
	fds := ownFiles(s.State().PID)
	gaps := make([]time.Duration, 0, st.count)
	for i := range st.count {
		begin := time.Now()
		gap := probeGap(dirs[i%len(dirs)], begin)
		if err := st.end(s, i); err != nil {
			t.Fatalf("end %d: %v", i, err)
		}
		gaps = append(gaps, <-gap)
	}
	for _, r := range all {
		r.finish(t)
	}
	if got := ownFiles(s.State().PID); got > fds+2 {
		t.Errorf("the daemon had %d descriptors and has %d after %d ends", fds, got, st.count)
	}
	if got := len(s.Stored()); got != 4*len(dirs) {
		t.Errorf("stored: %q", s.Stored())
	}
	slices.Sort(gaps)
	t.Logf("gap for a reader: median %v, longest %v", gaps[len(gaps)/2], gaps[len(gaps)-1])
}

// ownFiles counts the descriptors of a process, but for those of the kernel's
// files that it holds for its next reader.
func ownFiles(pid int) int {
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return -1
	}
	n := 0
	for _, link := range links {
		target, err := os.Readlink(link)
		if err == nil && !strings.HasPrefix(target, "/proc/") && !strings.HasPrefix(target, "/sys/") {
			n++
		}
	}
	return n
}

// probeGap reads a file once the daemon has been told to end, and sends how long
// that took.
func probeGap(dir string, begin time.Time) <-chan time.Duration {
	took := make(chan time.Duration, 1)
	time.AfterFunc(2*time.Millisecond, func() {
		os.ReadFile(filepath.Join(dir, "proc/uptime"))
		took <- time.Since(begin)
	})
	return took
}

// other is the path of the second version, once it is built.
var other atomic.Pointer[string]

// otherBinary returns lxcfs of another version.
func otherBinary(t *testing.T) string {
	t.Helper()
	if path := other.Load(); path != nil {
		return *path
	}
	path := binary + "-other"
	if err := build(path, "lxcfs", "-ldflags", "-X main.version=0.0.9-other"); err != nil {
		t.Fatal(err)
	}
	other.Store(&path)
	return path
}
