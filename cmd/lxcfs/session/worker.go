package session

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// worker is a goroutine that reads a request, handles it and reads the next: no
// request changes hands, but for those of a backlog (see queues).
type worker struct {
	index   int    // of slot
	slot    []byte // that it reads to, or whose request it handles; nil: none
	out     []byte // reply buffer, populated and locked
	locked  error
	wake    chan struct{}
	asked   time.Duration // when it last asked for a request, by elapsed
	yielded time.Duration // when it last let go of its processor
	refused []int         // slots of requests that it is to refuse
	since   atomic.Int64  // when it took the request it handles, ns of elapsed; 0: it handles none

	// Guarded by Session.mu:
	moving   bool            // it is one of those that read, or handle what they read
	queue    *queue          // of the request that it handles; nil: none
	answered chan<- struct{} // closed when the request that it was given is answered; nil: none was
}

// newWorker makes a worker. Its reply buffer is mapped now: if the kernel's copy
// of a reply faulted while the process is being killed, the reader would get EIO.
func (s *Session) newWorker() (*worker, error) {
	out, err := unix.Mmap(-1, 0, s.outSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("reply buffer: %w", err)
	}
	w := &worker{out: out, wake: make(chan struct{}, 1)}
	if w.locked = unix.Mlock(out); w.locked != nil {
		s.events.report(EventUnpinned, w.locked, "reply buffer of %d bytes", len(out))
	}
	return w, nil
}

// startWorker starts one more worker, if there may be one. mu is held.
func (s *Session) startWorker() bool {
	if len(s.workers) >= s.cfg.Slots || len(s.unused) == 0 && !s.queues.ready() {
		return false
	}
	w, err := s.newWorker()
	if err != nil {
		s.events.report(EventBusy, err, "no further worker")
		return false
	}
	s.launch(w)
	return true
}

// launch starts a worker. mu is held.
func (s *Session) launch(w *worker) {
	s.workers = append(s.workers, w)
	s.live++
	go s.run(w)
}

// run is the life of a worker.
func (s *Session) run(w *worker) {
	defer s.leave(w)
	for s.next(w) {
		s.handle(w)
		w.yield()
		s.finish(w)
	}
}

// next gives w a request to handle; false: w is to end.
func (s *Session) next(w *worker) bool {
	for {
		switch s.enter(w) {
		case toEnd:
			return false
		case toHandle:
			return true
		case toRelieve:
			s.relieve(w)
		case toCollect:
			if !s.collect(w) {
				return false
			}
			fallthrough
		case toTake:
			s.sort()
			if s.take(w) {
				return true
			}
		case toRead:
			if !s.fetch(w) {
				return false
			}
			backlog, now := s.backlogged(w)
			if !backlog {
				w.since.Store(int64(now))
				return true
			}
			s.park(w)
			if !s.collect(w) {
				return false
			}
		}
	}
}

// fetch reads one request into w's slot; false: serving is over.
func (s *Session) fetch(w *worker) bool {
	w.asked = elapsed()
	n, err := s.read(w.slot)
	if err == nil && n < inHeaderSize {
		err = ErrUnmounted
	}
	if err == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading--
	s.failed(err)
	return false
}

// yield lets go of Go's processor now and then. Its monitor takes a processor
// from who has not done so for 10 ms, even in a system call, and then looks
// every 20 us for more to take, for milliseconds: a timer and two switches of
// threads each time, dearer than a request.
func (w *worker) yield() {
	if now := time.Duration(w.since.Load()); now-w.yielded > yieldPeriod {
		w.yielded = now
		runtime.Gosched()
	}
}

// leave is the end of a worker.
func (s *Session) leave(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest(w)
	s.live--
	s.checkQuiet()
}

// What a worker does next.
type step int

const (
	toEnd     step = iota
	toRead         // the next request; w counts as reading
	toTake         // one that waits for its turn
	toCollect      // what is there, and then one that waits for its turn
	toRelieve      // nobody can go on: some of those that wait are refused
	toHandle       // the one that it was given
)

// enter says what w does next. If enough others move, w waits until it is needed.
func (s *Session) enter(w *worker) step {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.stopping:
			return toEnd
		case w.answered != nil:
			return toHandle
		case s.open && s.queues.ready() && s.mayTake(w):
			s.move(w)
			if s.queues.waiting < smallBacklog {
				return toTake
			}
			return toCollect
		case s.open && s.mayRead(w) && s.getSlot(w):
			s.move(w)
			s.reading++
			return toRead
		case s.open && s.jammed(w):
			s.move(w)
			return toRelieve
		}
		s.rest(w)
		s.putSlot(w)
		s.idle = append(s.idle, w)
		s.mu.Unlock()
		<-w.wake
		s.mu.Lock()
	}
}

// mayRead: there is no other that would, or more are needed. mu is held.
func (s *Session) mayRead(w *worker) bool { return s.others(w) < s.demand.readers }

// mayTake is mayRead where those that wait in read(2) are none that would take a
// request. mu is held.
func (s *Session) mayTake(w *worker) bool { return s.others(w)-s.reading < s.demand.readers }

// others returns how many move beside w.
func (s *Session) others(w *worker) int {
	if w.moving {
		return s.moving - 1
	}
	return s.moving
}

// move and rest make w one that moves, or none. mu is held.
func (s *Session) move(w *worker) {
	if !w.moving {
		w.moving = true
		s.moving++
	}
}

func (s *Session) rest(w *worker) {
	if w.moving {
		w.moving = false
		s.moving--
	}
}

// finish says that the request of w is answered.
func (s *Session) finish(w *worker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.since.Store(0)
	s.putSlot(w)
	if w.queue != nil {
		s.queues.done(w.queue)
		w.queue = nil
	}
	if w.answered != nil {
		close(w.answered)
		w.answered = nil
	}
}

// backlogged says that w got a request and is to park it: there is a backlog. Else w is
// to handle it. If more are to read the next ones another worker is promoted, and
// when this one takes long.
func (s *Session) backlogged(w *worker) (backlog bool, now time.Duration) {
	now = elapsed()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reading--; s.reading == 0 {
		s.starving = now
	}
	s.blind++
	backlog = s.queues.waiting > 0 || s.queues.full > 0 || s.blind >= maxBlind && s.readable()
	if s.blind >= maxBlind {
		s.blind = 0
	}
	if s.demand.took(now-w.asked, now) && !s.stopping {
		s.addReader()
	}
	s.watchReaders(s.patience)
	return backlog, now
}

// watchReaders has promote called after a while, unless it will be anyway. mu is
// held. A timer for each request would be dearer than the request: setting one
// wakes a thread that waits for it.
func (s *Session) watchReaders(d time.Duration) {
	if !s.watched {
		s.watched = true
		s.watch.Reset(d)
	}
}

// promote has a spare worker move for each that has been handling one request for
// a millisecond. As long as it is called for nothing it is called less often: the
// call is as dear as a request.
func (s *Session) promote() {
	for _, l := range s.replaceLate() {
		s.charge(l)
	}
}

// replaceLate does so, and returns those of which it is not known for whom they
// work.
func (s *Session) replaceLate() []lateOne {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watched = false
	if s.stopping {
		return nil
	}
	late, unknown, busy := s.late()
	if late {
		s.patience = defaultPatience
		s.blind = maxBlind // what takes long may be one owner's
	} else {
		s.patience = min(2*s.patience, maxPatience)
	}
	if busy {
		s.watchReaders(s.patience)
	}
	needed := s.moving < s.demand.readers || s.queues.ready() && s.moving-s.reading < s.demand.readers
	if needed && !s.addReader() {
		s.events.report(EventBusy, nil, "%d requests under way", len(s.workers))
	}
	return unknown
}

// lateOne is a worker that has been handling one request for long.
type lateOne struct {
	worker *worker
	since  int64
	tid    uint32
}

// late takes those that have been handling one request for long out of those that
// move, and says whether there are any; those of whom no owner is known; and
// whether there are any others that handle one. mu is held.
func (s *Session) late() (late bool, unknown []lateOne, busy bool) {
	now := elapsed()
	for _, w := range s.workers {
		since := w.since.Load()
		switch {
		case since == 0 || !w.moving:
		case now-time.Duration(since) >= defaultPatience:
			s.rest(w)
			late = true
			if s.cfg.Owner != nil && (w.queue == nil || w.queue.owner == "") {
				unknown = append(unknown, lateOne{w, since, headerOf(w.slot).pid})
			}
		default:
			busy = true
		}
	}
	return late, unknown, busy
}

// addReader has a spare worker move, or a new one. mu is held.
func (s *Session) addReader() bool {
	n := len(s.idle)
	if n == 0 {
		return s.startWorker()
	}
	w := s.idle[n-1]
	s.idle = s.idle[:n-1]
	w.wake <- struct{}{}
	return true
}

// read reads one request into buf.
func (s *Session) read(buf []byte) (int, error) {
	for {
		n, err := unix.Read(s.fd, buf)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ENOENT), errors.Is(err, unix.EIO):
			// ENOENT: the request was interrupted while it was being copied.
			// EIO: its copy failed, and the kernel answered it.
		case errors.Is(err, unix.EAGAIN):
			// Somebody who shares the description made it non-blocking.
			unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, -1)
		case errors.Is(err, unix.ENOMEM):
			time.Sleep(defaultPatience)
		case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ECONNABORTED):
			return 0, ErrUnmounted
		default:
			return 0, fmt.Errorf("read a request: %w", err)
		}
	}
}

// handle answers the request in w's slot and clears the slot, in this order.
func (s *Session) handle(w *worker) {
	s.counters.requests.Add(1)
	h := headerOf(w.slot)
	if !h.plausible(len(w.slot)) {
		s.events.report(EventTorn, nil, "slot %d: length %d, opcode %d, unique %#x", w.index, h.length, h.opcode, h.unique)
		if h.unique != 0 {
			s.refuse(w, unix.EIO)
		}
		clearHeader(w.slot)
		return
	}
	msg := w.slot[:h.length]
	switch n := s.journal.dispatches(w.index); {
	case s.isPoison(n):
		s.poisoned(w)
	case s.handleHere(w, msg):
	default:
		if n > 0 { // by processes that died
			s.replays.Store(h.unique, nil)
			defer s.replays.Delete(h.unique)
		}
		s.journal.count(w.index)
		s.render(w, msg)
	}
	clearHeader(w.slot)
}

// handleHere answers what go-fuse must not see. FUSE_POLL belongs here, for the
// day when somebody wants to wait for pressure; until then ENOSYS makes the
// kernel say that all is ready, and not ask again.
func (s *Session) handleHere(w *worker, msg []byte) bool {
	switch h := headerOf(msg); {
	case h.opcode == opInterrupt:
		// go-fuse says EAGAIN for a request it does not hold, and the kernel
		// asks again at once. ENOSYS: it never asks again.
		s.counters.interrupts.Add(1)
		s.refuse(w, unix.ENOSYS)
	case h.opcode == opPoll:
		s.poll(w, msg)
	case h.opcode == opNotifyReply:
		// Of a kick: see stop.
	case h.opcode == opInit:
		if err := s.answerInit(msg); err != nil {
			s.refuse(w, unix.EIO)
			s.fail(err)
		}
	case isGhost(msg):
		if takesReply(h.opcode) {
			s.refuse(w, unix.ENOENT)
		}
	default:
		return false
	}
	return true
}

// render has the file system answer msg.
func (s *Session) render(w *worker, msg []byte) {
	answer, status := s.answer(w, msg)
	switch h := headerOf(msg); {
	case len(answer) > 0:
		s.reply(w, answer)
	case takesReply(h.opcode):
		// go-fuse wrote nothing, and a reader waits.
		s.counters.unanswered.Add(1)
		s.events.report(EventLibrary, nil, "no answer to opcode %d: %v", h.opcode, status)
		s.refuse(w, unix.EIO)
	}
}

// answer has the file system answer msg in w's reply buffer.
func (s *Session) answer(w *worker, msg []byte) ([]byte, fuse.Status) {
	if answer := s.guarded(w, msg); answer != nil {
		return answer, fuse.OK
	}
	n, status := s.ps.HandleRequest([][]byte{msg}, [][]byte{w.out})
	return w.out[:n], status
}

// refuse answers the request in w's slot with an error number.
func (s *Session) refuse(w *worker, errno unix.Errno) {
	s.reply(w, errorReply(w.out, headerOf(w.slot).unique, errno))
}

// reply writes an answer. If the kernel does not like it the reader still
// waits, and gets EIO.
func (s *Session) reply(w *worker, answer []byte) {
	for {
		_, err := unix.Write(s.fd, answer)
		switch {
		case err == nil:
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case errors.Is(err, unix.ENOENT):
			s.counters.stale.Add(1)
		case errors.Is(err, unix.ENODEV), errors.Is(err, unix.EPIPE):
			s.fail(ErrUnmounted)
		default:
			h := headerOf(w.slot)
			s.events.report(EventReply, err, "opcode %d, %d bytes", h.opcode, len(answer))
			if len(answer) > outHeaderSize {
				answer = errorReply(w.out, h.unique, unix.EIO)
				continue
			}
		}
		return
	}
}

// guarded is hot, where a panic of the file system is EIO.
func (s *Session) guarded(w *worker, msg []byte) (answer []byte) {
	defer func() {
		if v := recover(); v != nil {
			answer = errorReply(w.out, headerOf(msg).unique, unix.Errno(s.panicked(v)))
		}
	}()
	return s.hot(msg, w.out)
}

// panicked is called when the file system panics.
func (s *Session) panicked(v any) fuse.Status {
	s.events.report(EventPanic, nil, "%v\n%s", v, debug.Stack())
	return fuse.EIO
}
