package session

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// bytesOf returns the memory of v.
func bytesOf[T any](v *T) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v)) }

// Init makes raw the file system of the connection. On a new connection it
// waits for the kernel's INIT and answers it; on a restored one it repeats the
// recorded one to go-fuse alone.
func (s *Session) Init(raw fuse.RawFileSystem) error {
	s.fs, s.ps = raw, s.newProtocolServer(raw)
	s.poller, _ = raw.(Poller)
	j := s.journal
	switch {
	case j.initRequest() != nil && j.initAnswer() != nil:
		if err := s.repeatInit(); err != nil {
			return err
		}
	case j.initRequest() != nil:
		if err := s.answerInit(j.initRequest()); err != nil {
			return err
		}
	case s.lost:
		s.assumeInit()
	default:
		if err := s.awaitInit(); err != nil {
			return err
		}
	}
	if s.resend {
		s.askResend()
	}
	return nil
}

// awaitInit reads INIT, unless an earlier process has, and answers it.
func (s *Session) awaitInit() error {
	slot := s.journal.slot(0)
	if headerOf(slot).length == 0 {
		n, err := s.read(slot)
		if err != nil {
			return fmt.Errorf("read INIT: %w", err)
		}
		if n < inHeaderSize {
			return fmt.Errorf("read INIT: %w", ErrUnmounted)
		}
	}
	if h := headerOf(slot); h.opcode != opInit || int(h.length) > initRoom {
		// Somebody else answered INIT. The request is owed; Serve finds it.
		s.lost, s.resend = true, true
		s.assumeInit()
		return nil
	}
	msg := slot[:headerOf(slot).length]
	err := s.answerInit(msg)
	clearHeader(slot)
	return err
}

// answerInit records an INIT request, negotiates, records the answer and then
// gives it.
func (s *Session) answerInit(msg []byte) error {
	s.journal.record(initInOffset, msg)
	answer, err := s.negotiate(msg)
	if err != nil {
		return err
	}
	s.journal.record(initOutOffset, answer)
	s.outSize = s.cfg.replySize(answer)
	if _, err := unix.Write(s.fd, answer); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("answer INIT: %w", err)
	}
	return nil
}

// negotiate has go-fuse answer INIT, and raises max_pages: go-fuse derives it
// from max_write, and a READ would carry one page.
func (s *Session) negotiate(msg []byte) ([]byte, error) {
	out := make([]byte, initRoom)
	n, status := s.ps.HandleRequest([][]byte{msg}, [][]byte{out})
	if n < initOutMin || outHeaderOf(out).status != 0 {
		return nil, fmt.Errorf("negotiate INIT: %v, error %d", status, -outHeaderOf(out).status)
	}
	if n >= initOutSize && (*fuse.InitIn)(unsafe.Pointer(&msg[0])).Flags&fuse.CAP_MAX_PAGES != 0 {
		answer := (*fuse.InitOut)(unsafe.Pointer(&out[outHeaderSize]))
		answer.MaxPages, answer.Flags = s.cfg.readPages(), answer.Flags|fuse.CAP_MAX_PAGES
	}
	return out[:n], nil
}

// repeatInit brings a fresh go-fuse to where the last one was: it is shown an
// INIT that offers what was agreed on, no more, whatever this version would
// choose today. Its answer is discarded, and the recorded one given again, for
// the last process may have died just before: if it did not, the kernel says
// ENOENT.
func (s *Session) repeatInit() error {
	answer := s.journal.initAnswer()
	agreed := agreedInit(s.journal.initRequest(), answer)
	scratch := make([]byte, initRoom)
	if n, status := s.ps.HandleRequest([][]byte{bytesOf(&agreed)}, [][]byte{scratch}); n < initOutMin {
		return fmt.Errorf("repeat INIT: %v", status)
	}
	s.outSize = s.cfg.replySize(answer)
	if _, err := unix.Write(s.fd, answer); errors.Is(err, unix.ENODEV) {
		return ErrUnmounted
	}
	return nil
}

// agreedInit is the recorded request with the limits of the recorded answer.
func agreedInit(request, answer []byte) fuse.InitIn {
	var in fuse.InitIn
	var out fuse.InitOut
	copy(bytesOf(&in), request)
	copy(bytesOf(&out), answer[outHeaderSize:])
	in.Length = uint32(unsafe.Sizeof(in))
	in.Minor, in.MaxReadAhead = out.Minor, out.MaxReadAhead
	in.Flags, in.Flags2 = out.Flags, out.Flags2
	return in
}

// InitRequest returns what the kernel offered: its protocol version and flags.
// It is all zero before Init, and if it is not known.
func (s *Session) InitRequest() fuse.InitIn {
	var in fuse.InitIn
	copy(bytesOf(&in), s.journal.initRequest())
	return in
}

// InitAnswer returns what was agreed on; all zero if it is not known.
func (s *Session) InitAnswer() fuse.InitOut {
	var out fuse.InitOut
	if answer := s.journal.initAnswer(); answer != nil {
		copy(bytesOf(&out), answer[outHeaderSize:])
	}
	return out
}

// assumeInit stands in for an INIT that nobody remembers: what this version
// would have answered to a kernel of the oldest kind we run on. If the kernel
// has not sent INIT yet after all, a worker answers it.
func (s *Session) assumeInit() {
	var in fuse.InitIn
	in.Length, in.Opcode = uint32(unsafe.Sizeof(in)), opInit
	in.Major, in.Minor = 7, 31 // 5.4 to 5.10
	in.Flags = fuse.CAP_ASYNC_READ | fuse.CAP_BIG_WRITES | fuse.CAP_MAX_PAGES | fuse.CAP_AUTO_INVAL_DATA | fuse.CAP_PARALLEL_DIROPS
	s.ps.HandleRequest([][]byte{bytesOf(&in)}, [][]byte{make([]byte, initRoom)})
	s.outSize = s.cfg.replySize(nil)
}

// askResend has the kernel queue again what an earlier process read and did not
// answer. A kernel that cannot says EINVAL; it is not asked if it told so in
// INIT.
func (s *Session) askResend() {
	if in := s.InitRequest(); in.Length != 0 && in.Flags64()&fuse.CAP_HAS_RESEND == 0 {
		return
	}
	msg := outHeader{length: outHeaderSize, status: notifyResend}
	if _, err := unix.Write(s.fd, bytesOf(&msg)); err != nil {
		s.events.report(EventForeign, err, "the kernel does not send again what was read; its readers wait until the connection ends")
	}
}
