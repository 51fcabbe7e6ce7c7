package session

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// ErrStuck is returned by SelfCheck when requests are not answered.
var ErrStuck = errors.New("stuck")

// counters count since the process started. Any goroutine adds.
type counters struct {
	requests, replayed, poisoned, interrupts, unanswered, stale atomic.Uint64
}

// Stats is what a session did since its process started, and what it does now.
type Stats struct {
	Epoch      uint32        // processes that served the connection, with this one
	Deaths     uint32        // processes of these that died, without those killed by a request that had killed one already
	Requests   uint64        // read or replayed
	Replayed   uint64        // owed by earlier processes
	Poisoned   uint64        // requests answered with EIO, for they had ended several processes
	Interrupts uint64        // answered with ENOSYS
	Unanswered uint64        // by go-fuse; answered with EIO here
	Stale      uint64        // answers that the kernel did not wait for
	Workers    int           // started
	Reading    int           // workers that wait for a request
	Busy       int           // workers that handle a request
	Longest    time.Duration // how long the oldest request that is being handled has taken so far
	Locked     bool          // all memory that the kernel copies to and from is locked
	Degraded   bool          // see Session.Degraded
}

// Stats returns the numbers of now.
func (s *Session) Stats() Stats {
	f, h := s.journal.frozen(), s.journal.header()
	st := Stats{
		Epoch: f.epoch, Deaths: h.deaths,
		Requests: s.counters.requests.Load(), Replayed: s.counters.replayed.Load(), Poisoned: s.counters.poisoned.Load(),
		Interrupts: s.counters.interrupts.Load(), Unanswered: s.counters.unanswered.Load(), Stale: s.counters.stale.Load(),
		Locked: s.journal.locked == nil, Degraded: s.Degraded(),
	}
	now := elapsed()
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Workers, st.Reading = len(s.workers), s.reading
	for _, w := range s.workers {
		st.Locked = st.Locked && w.locked == nil
		if since := w.since.Load(); since != 0 {
			st.Busy++
			st.Longest = max(st.Longest, now-time.Duration(since))
		}
	}
	return st
}

// SelfCheck returns ErrStuck if nobody is served: a request waits that may be
// handled, and no worker has taken one, or was free to, for longer than limit; or
// a GETATTR of the root, made up here and given to the file system in-process,
// takes that long. How long a single request takes says nothing: a process can
// make the readers of its files in /proc wait for as long as it likes, and as long
// as others are served there is no reason to end this process for it. Nor is there
// for requests that wait until others of their owner are answered. It never
// touches the mount.
func (s *Session) SelfCheck(limit time.Duration) error {
	if busy := s.untaken(); busy > limit && s.asked() {
		return fmt.Errorf("no request taken for %v, and one waits: %w", busy, ErrStuck)
	}
	return s.probe(limit)
}

// untaken returns for how long all workers that there may be have handled requests
// and ended none: whoever ends one takes the next. It is 0 when one reads.
func (s *Session) untaken() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open || s.stopping || s.reading > 0 {
		return 0
	}
	return elapsed() - s.starving
}

// asked says whether a request waits that may be handled: in the kernel, to be
// read, or here.
func (s *Session) asked() bool {
	s.mu.Lock()
	ready := s.queues.ready()
	s.mu.Unlock()
	return ready || s.readable()
}

// probe handles a made-up request.
func (s *Session) probe(limit time.Duration) error {
	if !s.probing.CompareAndSwap(false, true) {
		return fmt.Errorf("the last self-check: %w", ErrStuck)
	}
	done := make(chan int32, 1)
	go func() {
		defer s.probing.Store(false)
		var in fuse.GetAttrIn
		in.Length, in.Opcode, in.NodeId = uint32(unsafe.Sizeof(in)), opGetattr, fuse.FUSE_ROOT_ID
		out := make([]byte, minReadBuffer)
		s.ps.HandleRequest([][]byte{bytesOf(&in)}, [][]byte{out})
		done <- outHeaderOf(out).status
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case status := <-done:
		if status != 0 {
			return fmt.Errorf("GETATTR of the root: error %d", -status)
		}
		return nil
	case <-timer.C:
		return fmt.Errorf("GETATTR of the root after %v: %w", limit, ErrStuck)
	}
}
