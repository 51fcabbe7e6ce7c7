package fs

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

func TestReasonOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("resolve caller 7: %w", syscall.ESRCH), "caller-gone"},
		{fmt.Errorf("memory.max: %w", fs.ErrNotExist), "no-cgroup"},
		{&fs.PathError{Op: "read", Path: "memory.max", Err: syscall.ENODEV}, "no-cgroup"},
		{&fs.PathError{Op: "open", Path: "memory.max", Err: syscall.EACCES}, "unreadable"},
		{fmt.Errorf("memory.max: %w", cgroup.ErrFormat), "format"},
		{fmt.Errorf("render: %w", errEmpty), "empty"},
		{errors.New("else"), "other"},
	} {
		if got := reasonOf(tt.err).String(); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestCounters(t *testing.T) {
	var c Counters
	c.Begin()
	if got := c.Stats("x"); got.Requests != 1 || got.InFlight != 1 {
		t.Errorf("under way: got %+v", got)
	}
	c.End(time.Now().Add(-3 * time.Millisecond))
	c.End(c.Begin().Add(-time.Hour))
	c.Fail(errors.New("x"))
	c.FellBack(syscall.ESRCH)
	got := c.Stats("x")
	if got.Requests != 2 || got.Errors != 1 || got.InFlight != 0 || got.FellBack() != 1 || got.Busy < time.Hour {
		t.Errorf("got %+v", got)
	}
	bounds := LatencyBounds()
	if last := got.Latency[len(bounds)]; last != 1 || len(got.Latency) != len(bounds)+1 {
		t.Errorf("an hour is not in the last of %d classes: %v", len(bounds)+1, got.Latency)
	}
	if got.Latency[slices.Index(bounds, 5*time.Millisecond)] != 1 && got.Latency[len(bounds)-2] == 0 {
		t.Errorf("3 ms are in none of the upper classes: %v", got.Latency)
	}
	sum := FileStats{Path: "x"}
	sum.Add(got)
	sum.Add(got)
	if sum.Requests != 4 || sum.Fallbacks["caller-gone"] != 2 || sum.Latency[len(bounds)] != 2 || sum.Busy != 2*got.Busy {
		t.Errorf("twice: got %+v", sum)
	}
}

// To look is not to read.
func TestShowCountsNothing(t *testing.T) {
	r, fallbacks := testRenderer(t)
	got, err := r.Show("/proc/meminfo", vfs.Caller{TID: 2})
	if err != nil || string(got) != "MEMTOTAL\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := r.Show("/proc/meminfo", vfs.Caller{TID: 6}); err != nil || string(got) != "memtotal\n" {
		t.Errorf("caller gone: got %q, %v, want the host's file", got, err)
	}
	if _, err := r.Show("/proc/none", vfs.Caller{TID: 2}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not served: %v", err)
	}
	tree := NewTree(r, newMemoryStore())
	if got, err := tree.Show("/proc/meminfo", 2); err != nil || string(got) != "MEMTOTAL\n" {
		t.Errorf("by the tree: got %q, %v", got, err)
	}
	for _, path := range []string{"proc/meminfo", "/proc", "/proc/", "/", "/proc/./meminfo", "/proc/meminfo/x"} {
		if got, err := tree.Show(path, 2); err == nil {
			t.Errorf("%q: got %q", path, got)
		}
	}
	if s := r.Stats()[0]; s.Requests != 0 || s.FellBack() != 0 || len(*fallbacks) > 0 {
		t.Errorf("got %+v", s)
	}
}
