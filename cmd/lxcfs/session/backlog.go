package session

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// smallBacklog is how many requests may wait, whoever asked: to look who did
	// takes longer than to answer some of them.
	smallBacklog = 32
	// maxBlind is how many requests are handled before somebody looks whether there
	// is another one already: then all that are there are collected.
	maxBlind = 64
	// collected is how many requests are read in a row before one of those that
	// wait is answered, and sorting how long it is looked whose they are.
	collected = 64
	sorting   = time.Millisecond
	// relieved is how many are refused when nobody can go on.
	relieved = 64
)

// readable: a read(2) would not wait, unless another worker is faster.
func (s *Session) readable() bool {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1 && fds[0].Revents&unix.POLLIN != 0
}

// collect reads what is there and gives each request its place; false: serving is
// over.
func (s *Session) collect(w *worker) bool {
	for range collected {
		if !s.readable() || !s.maySlot(w) {
			return true
		}
		if !s.fetch(w) {
			return false
		}
		s.backlogged(w)
		s.park(w)
	}
	return true
}

// sort gives requests to the queues of their owners.
func (s *Session) sort() {
	for began := elapsed(); elapsed()-began < sorting; {
		s.mu.Lock()
		i, ok := s.queues.unknown()
		s.mu.Unlock()
		if !ok {
			return
		}
		owner := s.owner(s.journal.slot(i))
		s.mu.Lock()
		s.queues.park(owner, i)
		s.mu.Unlock()
	}
}

// maySlot gives w a slot to read to, and counts it as reading; false: all slots
// hold requests, or enough others read.
func (s *Session) maySlot(w *worker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || s.reading >= s.demand.readers || !s.getSlot(w) {
		return false
	}
	s.reading++
	s.watchReaders(s.patience) // another worker may be faster, and then w waits
	return true
}

// park has the request in w's slot wait for its turn.
func (s *Session) park(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backlog = true
	s.queues.add(s.place(w))
}

// owner returns on whose behalf a request is; "" as long as few wait and nobody
// has as many handled as may be.
func (s *Session) owner(slot []byte) string {
	s.mu.Lock()
	few := s.queues.waiting < smallBacklog && s.queues.full == 0
	s.mu.Unlock()
	if few || s.cfg.Owner == nil {
		return ""
	}
	return s.cfg.Owner(headerOf(slot).pid)
}

// charge counts a request that takes long as its owner's: it was not known whose it
// is. Without this, requests that come one by one and block take all workers.
func (s *Session) charge(l lateOne) {
	owner := s.cfg.Owner(l.tid)
	s.mu.Lock()
	defer s.mu.Unlock()
	w := l.worker
	if w.since.Load() != l.since || owner == "" { // it is answered; or nobody can say
		return
	}
	if w.queue != nil {
		s.queues.done(w.queue)
	}
	w.queue = s.queues.of(owner)
	s.queues.start(w.queue)
}

// place returns the slot that w's request is to wait in: one of those that are for
// it, as long as there is one. However long it is: a container may send long ones
// (ioctl(2)) while its share of the workers is blocked, and those that stay in slots
// that are read to leave nobody a slot to read to. mu is held.
func (s *Session) place(w *worker) int {
	h := headerOf(w.slot)
	n := len(s.room)
	if n == 0 || !h.plausible(len(w.slot)) || h.unique == 0 {
		w.slot = nil
		return w.index
	}
	i := s.room[n-1]
	s.room = s.room[:n-1]
	s.journal.populate(i)
	moveRequest(s.journal.slot(i), w.slot[:h.length])
	clearHeader(w.slot)
	return i
}

// moveRequest copies a request to an empty slot, cut to journalUnit bytes: what is
// longer carries data that is not looked at (IOCTL), a name after others (SYMLINK), or
// a WRITE's data, whose size the file system compares with what is there. A NUL ends
// it, for names do. The length goes last: it alone decides. Of a process that dies now
// the request is in both slots, see [journal.dropCopies].
func moveRequest(dst, msg []byte) {
	n := len(msg)
	if n > journalUnit && takesReply(headerOf(msg).opcode) {
		n = journalUnit
	}
	copy(dst[4:n], msg[4:n])
	if n < len(msg) {
		dst[n-1] = 0
	}
	atomic.StoreUint32(&headerOf(dst).length, uint32(n))
}

// jammed: no slot is left to read to, and those that wait are of owners who may have
// no more handled. w is to refuse some of who has most of the slots that are read to,
// as if others had not asked: they are taken from those that wait. mu is held.
func (s *Session) jammed(w *worker) bool {
	if len(s.unused)+s.reading > 0 || s.queues.waiting == 0 || s.queues.ready() {
		return false
	}
	// An earlier process may have carried out what it dispatched: that has its answer.
	w.refused = s.queues.drop(relieved, func(i int) bool { return s.journal.dispatches(i) == 0 })
	return len(w.refused) > 0
}

// relieve answers with EBUSY what w is to refuse. A process that dies meanwhile
// leaves the rest to the next one.
func (s *Session) relieve(w *worker) {
	for _, i := range w.refused {
		slot := s.journal.slot(i)
		if h := headerOf(slot); takesReply(h.opcode) {
			s.reply(w, errorReply(w.out, h.unique, unix.EBUSY))
		}
		clearHeader(slot)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range w.refused {
		s.free(i)
	}
	w.refused = nil
}

// parkAll has owed requests wait for their turns, where they are: how often they
// were dispatched is known of the slot.
func (s *Session) parkAll(slots []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range slots {
		s.queues.add(i)
	}
}

// take gives w the request whose turn it is; false: there is none any more.
func (s *Session) take(w *worker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || len(s.queues.turns) == 0 {
		return false
	}
	s.putSlot(w)
	w.index, w.queue = s.queues.take()
	w.slot = s.journal.slot(w.index)
	s.starving = elapsed()
	w.since.Store(int64(s.starving))
	s.watchReaders(s.patience)
	return true
}

// getSlot gives w a slot, unless it has one; false: none is left. mu is held.
func (s *Session) getSlot(w *worker) bool {
	n := len(s.unused)
	switch {
	case w.slot != nil:
		return true
	case n == 0:
		return false
	}
	w.index, s.unused = s.unused[n-1], s.unused[:n-1]
	w.slot = s.journal.slot(w.index)
	return true
}

// putSlot takes w's slot, which holds nothing. mu is held.
func (s *Session) putSlot(w *worker) {
	if w.slot != nil {
		s.free(w.index)
		w.slot = nil
	}
}

// free makes an empty slot one that is used again. mu is held.
func (s *Session) free(i int) {
	if i < readySlots {
		s.unused = append(s.unused, i)
	} else {
		s.room = append(s.room, i)
	}
}

// Trim gives back the memory that a backlog took, if there was none since the last
// time.
func (s *Session) Trim() error {
	s.mu.Lock()
	backlog := s.backlog
	s.backlog = false
	var room []int
	if !backlog {
		room, s.room = s.room, nil
	}
	s.mu.Unlock()
	err := s.journal.release(room)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room = append(s.room, room...)
	return err
}
