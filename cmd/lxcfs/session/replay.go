package session

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxDispatches is how often a request may have been dispatched when a process
	// crashed, see [Session.KeepCrash]: it is taken for the reason then.
	maxDispatches = 5
	// maxKills is the same when the process was killed, which tells nothing of the
	// request, unless it is one that takes so much memory that the kernel kills
	// whoever handles it. Whoever kills processes at random, seven in a second, on a
	// slow machine, ends one request in five dispatches, and no reader shall see that.
	maxKills = 64
	// replayPatience is how long all replays together may keep others waiting.
	replayPatience = 250 * time.Millisecond
)

// replay answers what earlier processes owe, one request at a time, so that a
// request that kills the process is the only one it can be. One that takes long
// goes on beside the others; when all of them have, the rest waits for its turn.
func (s *Session) replay() {
	patience := time.NewTimer(replayPatience)
	defer patience.Stop()
	owed := s.journal.owed()
	s.counters.replayed.Add(uint64(len(owed)))
	s.freeAllBut(owed)
	for n, i := range owed {
		done := s.replayWorker(i)
		select {
		case <-done:
		case <-patience.C:
			s.parkAll(owed[n+1:])
			return
		}
	}
}

// freeAllBut makes those slots that owe nothing ones that are used; the first is
// used first.
func (s *Session) freeAllBut(owed []int) {
	holds := make([]bool, s.journal.slots())
	for _, i := range owed {
		holds[i] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, full := range slices.Backward(holds) {
		if !full {
			s.free(i)
		}
	}
}

// replayWorker gives slot i to a worker. The channel is closed when the request in
// it is answered.
func (s *Session) replayWorker(i int) <-chan struct{} {
	done := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	w, fresh, err := s.spare()
	if err != nil {
		s.failed(err)
		close(done)
		return done
	}
	w.index, w.slot, w.answered = i, s.journal.slot(i), done
	w.since.Store(int64(elapsed()))
	if fresh {
		s.launch(w)
	} else {
		w.wake <- struct{}{}
	}
	return done
}

// spare returns a worker that does nothing, one that is not launched yet if all
// do. mu is held.
func (s *Session) spare() (w *worker, fresh bool, err error) {
	if n := len(s.idle); n > 0 {
		w, s.idle = s.idle[n-1], s.idle[:n-1]
		return w, false, nil
	}
	w, err = s.newWorker()
	return w, true, err
}

// isPoison says whether a request that was dispatched n times is answered with EIO.
func (s *Session) isPoison(n uint32) bool {
	return n >= maxKills || n >= maxDispatches && s.afterCrash
}

// poisoned answers a request that has ended several processes.
func (s *Session) poisoned(w *worker) {
	h := headerOf(w.slot)
	s.counters.poisoned.Add(1)
	s.events.report(EventPoison, nil, "opcode %d, node %#x, caller %d", h.opcode, h.node, h.pid)
	if takesReply(h.opcode) {
		s.refuse(w, unix.EIO)
	}
}

// Replayed says whether a process that died may have carried out the request
// with that number, which is being handled now.
func (s *Session) Replayed(unique uint64) bool {
	_, yes := s.replays.Load(unique)
	return yes
}
