package fs

import (
	"errors"
	"io/fs"
	"sync/atomic"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/fair"
)

// latencyBounds are the upper bounds of the classes in which durations are
// counted; the last class, above them all, has none.
var latencyBounds = [...]time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 100 * time.Millisecond, time.Second,
}

// LatencyBounds returns the upper bounds of the classes of [FileStats.Latency];
// the last class has none.
func LatencyBounds() []time.Duration { return append([]time.Duration(nil), latencyBounds[:]...) }

// FallbackReason says why somebody got the host's file.
type FallbackReason uint8

// The reasons.
const (
	FellCallerGone FallbackReason = iota // the caller ended while it was looked at
	FellNoCgroup                         // a cgroup or controller is not there (any more)
	FellUnreadable                       // a file of /proc or of a cgroup may not be read
	FellFormat                           // a file is not in the format we know
	FellEmpty                            // the renderer lost everything
	FellBusy                             // its container has too many requests under way
	FellOther
	fallbackReasons
)

// String returns the reason as a word of metrics and properties.
func (r FallbackReason) String() string {
	names := [...]string{"caller-gone", "no-cgroup", "unreadable", "format", "empty", "busy", "other"}
	if int(r) < len(names) {
		return names[r]
	}
	return "other"
}

// reasonOf sorts an error into one of the reasons.
func reasonOf(err error) FallbackReason {
	switch {
	case errors.Is(err, syscall.ESRCH):
		return FellCallerGone
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENODEV):
		return FellNoCgroup
	case errors.Is(err, fs.ErrPermission):
		return FellUnreadable
	case errors.Is(err, cgroup.ErrFormat):
		return FellFormat
	case errors.Is(err, errEmpty):
		return FellEmpty
	case errors.Is(err, fair.ErrBusy):
		return FellBusy
	}
	return FellOther
}

// Counters count what happens to one file, or to the files of one tree,
// since the process started. They are only ever added to, atomically: any
// goroutine may use them, and no reader waits for another.
type Counters struct {
	requests, errors, busy atomic.Uint64 // busy in nanoseconds
	inFlight               atomic.Int64
	fallbacks              [fallbackReasons]atomic.Uint64
	latency                [len(latencyBounds) + 1]atomic.Uint64
}

// Begin counts a request; give what it returns to End.
func (c *Counters) Begin() time.Time {
	c.requests.Add(1)
	c.inFlight.Add(1)
	return time.Now()
}

// End counts the end of a request.
func (c *Counters) End(began time.Time) {
	took := time.Since(began)
	c.inFlight.Add(-1)
	c.busy.Add(uint64(max(took, 0)))
	class := 0
	for class < len(latencyBounds) && took > latencyBounds[class] {
		class++
	}
	c.latency[class].Add(1)
}

// Fail counts a request that not even the host's file could answer, unless it was that
// file which did: the kernel refuses some reads on the host as well.
func (c *Counters) Fail(err error) {
	if !hostsAnswer(err) {
		c.errors.Add(1)
	}
}

// hostsAnswer says whether an error is what read(2) of an open file of the host
// answers to everybody: EIO of a device's power/autosuspend_delay_ms, EOPNOTSUPP of
// /proc/pressure when the kernel is booted with psi=0. A shortage is this process's,
// and a file that can't be opened is served in vain.
func hostsAnswer(err error) bool {
	var read *fs.PathError
	return errors.As(err, &read) && read.Op == "read" && !errors.Is(err, syscall.ENOMEM) && !errors.Is(err, syscall.EINTR)
}

// FellBack counts a request that was answered with the host's file because of
// err.
func (c *Counters) FellBack(err error) { c.fallbacks[reasonOf(err)].Add(1) }

// FileStats are the counters of one file since the process started.
type FileStats struct {
	Path      string
	Requests  uint64            // renderings begun
	Errors    uint64            // of these, failed: not even the host's file could be read, or those of the same container hang (EBUSY)
	InFlight  int64             // of these, not finished
	Busy      time.Duration     // time they took together
	Fallbacks map[string]uint64 // answered with the host's file, by the word of a [FallbackReason]; no zeros
	Latency   []uint64          // how many took how long, in the classes of [LatencyBounds]
}

// FellBack returns the number of fallbacks, for whatever reason.
func (s *FileStats) FellBack() uint64 {
	var sum uint64
	for _, n := range s.Fallbacks {
		sum += n
	}
	return sum
}

// Add adds the counters of the same file in another connection.
func (s *FileStats) Add(o FileStats) {
	s.Requests += o.Requests
	s.Errors += o.Errors
	s.InFlight += o.InFlight
	s.Busy += o.Busy
	if s.Fallbacks == nil {
		s.Fallbacks = make(map[string]uint64)
	}
	for reason, n := range o.Fallbacks {
		s.Fallbacks[reason] += n
	}
	if s.Latency == nil {
		s.Latency = make([]uint64, len(o.Latency))
	}
	for i, n := range o.Latency {
		s.Latency[i] += n
	}
}

// Stats returns what was counted, under the name of a file.
func (c *Counters) Stats(path string) FileStats {
	s := FileStats{
		Path:      path,
		Requests:  c.requests.Load(),
		Errors:    c.errors.Load(),
		InFlight:  c.inFlight.Load(),
		Busy:      time.Duration(c.busy.Load()),
		Fallbacks: make(map[string]uint64),
		Latency:   make([]uint64, len(c.latency)),
	}
	for i := range c.fallbacks {
		if n := c.fallbacks[i].Load(); n > 0 {
			s.Fallbacks[FallbackReason(i).String()] = n
		}
	}
	for i := range c.latency {
		s.Latency[i] = c.latency[i].Load()
	}
	return s
}

// Stats returns the counters of each served file.
func (r *Renderer) Stats() []FileStats {
	stats := make([]FileStats, len(r.files))
	for i, f := range r.files {
		stats[i] = f.counters.Stats(f.Path)
	}
	return stats
}

// Stats returns the counters of each served file, and those of each other tree
// under its path with a slash at the end. What such a tree refuses is no error.
func (t *Tree) Stats() []FileStats {
	stats := t.renderer.Stats()
	for _, m := range t.over {
		stats = append(stats, m.counters.Stats(m.Path+"/"))
	}
	return stats
}
