package session

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxDispatches is how often a request may have been dispatched when a
	// process died. Two would do if only requests killed processes. Whoever kills
	// them at random, ten in a second, ends the same request in its first
	// dispatch and in two replays once in some hundred thousand reads, and no
	// reader shall see that; for two more it takes hundreds of millions.
	maxDispatches = 5
	// replayPatience is how long all replays together may keep others waiting.
	replayPatience = 250 * time.Millisecond
)

// replay answers what earlier processes owe, one request at a time, so that a
// request that kills the process is the only one it can be. One that takes long
// goes on beside the others.
func (s *Session) replay() {
	patience := time.NewTimer(replayPatience)
	defer patience.Stop()
	owed := s.journal.owed()
	s.mu.Lock()
	for i := range s.journal.slots() {
		if !slices.Contains(owed, i) {
			s.unused = append(s.unused, i)
		}
	}
	s.mu.Unlock()
	late := false
	for _, i := range owed {
		done := s.replayWorker(i)
		if late {
			continue
		}
		select {
		case <-done:
		case <-patience.C:
			late = true
		}
	}
}

// replayWorker starts the worker of slot i with the request in it. The channel
// is closed when that is answered.
func (s *Session) replayWorker(i int) <-chan struct{} {
	done := make(chan struct{})
	w, err := s.newWorker(i)
	if err != nil {
		s.fail(err)
		close(done)
		return done
	}
	s.mu.Lock()
	s.workers = append(s.workers, w)
	s.live++
	s.mu.Unlock()
	go s.run(w, done)
	return done
}

// replaySlot answers the request that an earlier process left in w's slot.
func (s *Session) replaySlot(w *worker) {
	w.since.Store(int64(elapsed()))
	defer w.since.Store(0)
	s.counters.replayed.Add(1)
	if h := headerOf(w.slot); s.journal.dispatches(w.index) >= maxDispatches {
		s.counters.poisoned.Add(1)
		s.events.report(EventPoison, nil, "opcode %d, node %#x, caller %d", h.opcode, h.node, h.pid)
		if takesReply(h.opcode) {
			s.refuse(w, unix.EIO)
		}
		clearHeader(w.slot)
		return
	}
	if h := headerOf(w.slot); s.journal.dispatches(w.index) > 0 {
		s.replays.Store(h.unique, nil)
		defer s.replays.Delete(h.unique)
	}
	s.handle(w)
}

// Replayed says whether a process that died may have carried out the request
// with that number, which is being handled now.
func (s *Session) Replayed(unique uint64) bool {
	_, yes := s.replays.Load(unique)
	return yes
}
