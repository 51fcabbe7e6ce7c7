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

// worker is a goroutine with a slot of its own. It reads a request, handles it
// and reads the next: no request changes hands.
type worker struct {
	index   int
	slot    []byte
	out     []byte // reply buffer, populated and locked
	locked  error
	wake    chan struct{}
	asked   time.Duration // when it last asked for a request, by elapsed
	yielded time.Duration // when it last let go of its processor
	since   atomic.Int64  // when it took the request it handles, ns of elapsed; 0: it handles none
}

// newWorker makes the worker of slot i. Its reply buffer is mapped now: if the
// kernel's copy of a reply faulted while the process is being killed, the reader
// would get EIO.
func (s *Session) newWorker(i int) (*worker, error) {
	out, err := unix.Mmap(-1, 0, s.outSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("reply buffer: %w", err)
	}
	w := &worker{index: i, slot: s.journal.slot(i), out: out, wake: make(chan struct{}, 1)}
	if w.locked = unix.Mlock(out); w.locked != nil {
		s.events.report(EventUnpinned, w.locked, "reply buffer of %d bytes", len(out))
	}
	return w, nil
}

// startWorker starts one more worker, if a slot is left. mu is held.
func (s *Session) startWorker() bool {
	if len(s.unused) == 0 {
		return false
	}
	w, err := s.newWorker(s.unused[0])
	if err != nil {
		s.events.report(EventBusy, err, "no further worker")
		return false
	}
	s.unused = s.unused[1:]
	s.workers = append(s.workers, w)
	s.live++
	go s.run(w, nil)
	return true
}

// run is the life of a worker. replayed, if not nil, is closed when the request
// that its slot holds at the start is answered.
func (s *Session) run(w *worker, replayed chan<- struct{}) {
	defer s.leave()
	if replayed != nil {
		s.replaySlot(w)
		close(replayed)
	}
	for s.enter(w) {
		w.asked = elapsed()
		n, err := s.read(w.slot)
		s.exit(w)
		switch {
		case err != nil:
			s.fail(err)
			return
		case n < inHeaderSize:
			s.fail(ErrUnmounted)
			return
		}
		s.handle(w)
		w.yield()
		w.since.Store(0)
	}
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
func (s *Session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live--
	s.checkQuiet()
}

// enter returns true when w may read a request, false when it is to end. If
// enough others read, w waits until it is promoted.
func (s *Session) enter(w *worker) bool {
	for {
		s.mu.Lock()
		if s.stopping {
			s.mu.Unlock()
			return false
		}
		if s.open && s.reading < s.demand.readers {
			s.reading++
			s.mu.Unlock()
			return true
		}
		s.idle = append(s.idle, w)
		s.mu.Unlock()
		<-w.wake
	}
}

// exit says that w has a request. If one more is to read the next ones, or
// nobody is left to and that stays so, another worker is promoted.
func (s *Session) exit(w *worker) {
	now := elapsed()
	w.since.Store(int64(now))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reading--; s.reading == 0 {
		s.starving = now
	}
	switch {
	case s.stopping:
	case s.demand.took(now-w.asked, now):
		s.addReader()
	case s.reading == 0:
		s.watchReaders(s.patience)
	}
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

// promote has a spare worker read, if all others have been handling requests for
// a millisecond. As long as it is called for nothing it is called less often: the
// call is as dear as a request.
func (s *Session) promote() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watched = false
	if s.stopping {
		return
	}
	if s.reading > 0 {
		s.patience = min(2*s.patience, maxPatience)
		return
	}
	if elapsed()-s.starving < defaultPatience {
		s.patience = min(2*s.patience, maxPatience)
		s.watchReaders(s.patience)
		return
	}
	s.patience = defaultPatience
	if !s.addReader() {
		s.events.report(EventBusy, nil, "%d requests under way", len(s.workers))
	}
}

// addReader has a spare worker read, or a new one. mu is held.
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
	if !s.handleHere(w, msg) {
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
