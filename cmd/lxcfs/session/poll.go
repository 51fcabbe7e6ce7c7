package session

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Poller is a file system that answers poll(2). go-fuse does not know POLL.
type Poller interface {
	// Poll returns what is ready of an open file, as poll(2) says it. With
	// notify somebody waits, and Session.NotifyPoll(kh) is to be called when
	// more is. ENOSYS holds for all files: the kernel remembers it and never
	// asks again as long as the connection lasts.
	Poll(node, fh, kh uint64, notify bool) (events uint32, errno syscall.Errno)
}

// pollIn is struct fuse_poll_in.
type pollIn struct {
	inHeader
	fh     uint64
	kh     uint64
	flags  uint32
	events uint32
}

// pollScheduleNotify is FUSE_POLL_SCHEDULE_NOTIFY.
const pollScheduleNotify = 1

// pollOut is the answer, struct fuse_poll_out.
type pollOut struct {
	outHeader
	events uint32
	_      uint32
}

// poll answers POLL.
func (s *Session) poll(w *worker, msg []byte) {
	if s.poller == nil || len(msg) < int(unsafe.Sizeof(pollIn{})) {
		s.refuse(w, unix.ENOSYS)
		return
	}
	in := (*pollIn)(unsafe.Pointer(unsafe.SliceData(msg)))
	events, errno := s.poller.Poll(in.node, in.fh, in.kh, in.flags&pollScheduleNotify != 0)
	if errno != 0 {
		s.refuse(w, errno)
		return
	}
	var out pollOut
	out.length, out.unique, out.events = uint32(unsafe.Sizeof(out)), in.unique, events
	s.reply(w, append(w.out[:0], bytesOf(&out)...))
}

// NotifyPoll wakes those who poll the open file that POLL called kh: the kernel
// asks again what is ready. If there is nobody any more, nothing happens.
func (s *Session) NotifyPoll(kh uint64) error {
	var msg struct {
		outHeader
		kh uint64
	}
	msg.length, msg.status, msg.kh = uint32(len(bytesOf(&msg))), notifyPoll, kh
	if err := s.notify(bytesOf(&msg)); err != nil {
		return fmt.Errorf("notify pollers: %w", err)
	}
	return nil
}
