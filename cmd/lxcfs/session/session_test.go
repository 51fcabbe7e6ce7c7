package session

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

func TestInitAnswer(t *testing.T) {
	k := newFakeKernel(t)
	s, _ := k.start(Config{}, newTestFS())
	out, in := s.InitAnswer(), s.InitRequest()
	if out.MaxPages != s.cfg.readPages() || out.Flags&fuse.CAP_MAX_PAGES == 0 || out.MaxWrite != maxWrite {
		t.Errorf("got max_pages %d, max_write %d, flags %#x; want %d, %d and FUSE_MAX_PAGES", out.MaxPages, out.MaxWrite, out.Flags, s.cfg.readPages(), maxWrite)
	}
	if out.Flags64()&fuse.CAP_PASSTHROUGH != 0 || out.MaxStackDepth > 1 {
		t.Errorf("got flags %#x, want none of FUSE_PASSTHROUGH", out.Flags64())
	}
	if in.Minor != 45 || in.Flags64()&fuse.CAP_HAS_RESEND == 0 {
		t.Errorf("got kernel 7.%d, flags %#x; want 7.45, FUSE_HAS_RESEND", in.Minor, in.Flags64())
	}
}

func TestOwedRequestsComeFirst(t *testing.T) {
	k := newFakeKernel(t)
	j := k.crashed(Config{}, request(opGetattr, 12, 1, make([]byte, 16)), request(opGetattr, 10, nodeSmall, make([]byte, 16)))
	k.getattr(14, 1) // new, and already waiting
	s := k.restore(j, Config{}, newTestFS())
	stop := serve(t, s)
	for _, unique := range []uint64{10, 12, 14} {
		k.wantAnswer(unique, 0)
	}
	if n := s.Stats().Replayed; n != 2 {
		t.Errorf("got %d replayed, want 2", n)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestSlotOutlivesReply: while a reply is being written its request is owed.
func TestSlotOutlivesReply(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	s, _ := k.start(Config{}, f)
	if n := len(s.journal.owed()); n != 0 {
		t.Fatalf("got %d owed, want none", n)
	}
	k.getattr(10, nodeHeld)
	eventually(t, "handled", func() bool { return f.held.Load() == 1 })
	owed := s.journal.owed()
	if len(owed) != 1 || s.journal.dispatches(owed[0]) != 1 {
		t.Errorf("got owed %v while a request is handled, want one, dispatched once", owed)
	}
	close(f.release)
	k.wantAnswer(10, 0)
	eventually(t, "cleared", func() bool { return len(s.journal.owed()) == 0 })
}

// TestReplyBeforeClear holds a reply back in write(2): its slot is not clear.
func TestReplyBeforeClear(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	if err := unix.SetsockoptInt(pair[1], unix.SOL_SOCKET, unix.SO_SNDBUF, 24<<10); err != nil {
		t.Fatal(err)
	}
	s, err := Create(pair[1], Config{})
	if err != nil {
		t.Fatal(err)
	}
	unix.Write(pair[0], request(opInit, 2, 0, initBody(kernelOffers)))
	if err := s.Init(newTestFS()); err != nil {
		t.Fatal(err)
	}
	serve(t, s)
	const sent = 24
	for i := range uint64(sent) { // more than the socket holds
		unix.Write(pair[0], request(opRead, 10+2*i, nodeBig, readBody(8000)))
	}
	eventually(t, "full, and owed as many as are not written", func() bool {
		st := s.Stats()
		return st.Busy > 0 && st.Longest > 20*time.Millisecond && len(s.journal.owed()) >= st.Busy
	})
	buf := make([]byte, 1<<16)
	for range sent + 1 {
		unix.Read(pair[0], buf)
	}
	unix.Shutdown(pair[0], unix.SHUT_RDWR)
}

func TestHandledHere(t *testing.T) {
	ghost := append([]byte(ghostName), 0)
	tests := []struct {
		name   string
		opcode uint32
		node   uint64
		body   []byte
		want   unix.Errno
	}{
		{"interrupt", opInterrupt, 0, make([]byte, 8), unix.ENOSYS},
		{"poll", opPoll, nodeSmall, make([]byte, 24), unix.ENOSYS},
		{"ghost name", 1, 1, ghost, unix.ENOENT},
		{"ghost node", opGetattr, ghostNode, make([]byte, 16), unix.ENOENT},
		{"reply larger than any buffer", opRead, nodeSmall, readBody(1 << 24), unix.EIO},
		{"cut short", opRead, nodeSmall, nil, unix.EIO},
		{"opcode of the future", 4000, nodeSmall, nil, unix.ENOSYS},
		{"panic", opGetattr, nodePanic, make([]byte, 16), unix.EIO},
		{"panic of a READ", opRead, nodePanic, readBody(100), unix.EIO},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newFakeKernel(t)
			f := newTestFS()
			var seen events
			k.start(Config{Report: seen.add}, f)
			k.send(tt.opcode, 77, tt.node, tt.body)
			k.wantAnswer(77, tt.want)
			k.getattr(78, 1)
			k.wantAnswer(78, 0)
			if n := f.reads.Load(); n != 0 {
				t.Errorf("got %d reads by the file system, want none", n)
			}
			if got, want := seen.count(EventPanic), strings.HasPrefix(tt.name, "panic"); (got == 1) != want {
				t.Errorf("got %d panics reported", got)
			}
		})
	}
}

func TestNoReplyToThoseThatTakeNone(t *testing.T) {
	k := newFakeKernel(t)
	k.start(Config{}, newTestFS())
	k.send(opForget, 4, nodeSmall, forgetBody())
	k.send(opForget, 6, nodeSmall, nil) // cut short: go-fuse says (0, EIO)
	k.send(opBatchForget, 8, 0, nil)
	k.send(opNotifyReply, 10, 1, nil)
	k.wantSilence(100 * time.Millisecond)
	k.getattr(12, 1)
	k.wantAnswer(12, 0)
}

// TestInterruptIsNotJournalled: left in a slot, it is answered the same way.
func TestInterruptIsNotJournalled(t *testing.T) {
	k := newFakeKernel(t)
	j := k.crashed(Config{}, request(opInterrupt, 11, 0, make([]byte, 8)))
	s := k.restore(j, Config{}, newTestFS())
	serve(t, s)
	k.wantAnswer(11, unix.ENOSYS)
	if m := s.journal.meta(0); m.unique == 11 {
		t.Errorf("got %d dispatches of an INTERRUPT, want none counted", m.dispatches)
	}
}

func TestResentUniqueIsEchoed(t *testing.T) {
	k := newFakeKernel(t)
	k.start(Config{}, newTestFS())
	const unique = 1<<63 | 40
	k.getattr(unique, 1)
	k.wantAnswer(unique, 0)
	k.send(opPoll, unique, 1, make([]byte, 24))
	k.wantAnswer(unique, unix.ENOSYS)
}

func TestPoison(t *testing.T) {
	for _, tt := range []struct {
		dispatches int
		crashed    bool
		want       unix.Errno
	}{
		{0, true, 0},
		{4, true, 0},
		{5, true, unix.EIO},
		{5, false, 0}, // SIGKILL says nothing of a request
		{6, true, unix.EIO},
		{63, false, 0},
		{64, false, unix.EIO}, // but it has an end: the kernel kills who takes all memory
	} {
		dispatches, want := tt.dispatches, tt.want
		k := newFakeKernel(t)
		j := k.crashed(Config{}, request(opGetattr, 10, 1, make([]byte, 16)), request(opForget, 12, 1, forgetBody()))
		edit(t, j, func(j *journal) {
			for range dispatches {
				j.count(0)
				j.count(1)
			}
		})
		f := newTestFS()
		s := k.restore(j, Config{Crashed: tt.crashed}, f)
		stop := serve(t, s)
		k.wantAnswer(10, want)
		if got := f.requests.Load() == 0; got != (want == unix.EIO) {
			t.Errorf("%+v: the file system saw it: %v", tt, !got)
		}
		eventually(t, "nothing owed", func() bool { return len(s.journal.owed()) == 0 })
		k.wantSilence(10 * time.Millisecond)
		stop()
	}
}

// TestCaughtUp: nobody is told that the replay is over before it is.
func TestCaughtUp(t *testing.T) {
	k := newFakeKernel(t)
	j := k.crashed(Config{}, request(opRead, 10, nodeSlow, readBody(100)), request(opGetattr, 12, 1, make([]byte, 16)))
	s := k.restore(j, Config{}, newTestFS())
	select {
	case <-s.CaughtUp():
		t.Error("caught up before Serve")
	default:
	}
	serve(t, s)
	<-s.CaughtUp()
	if owed := s.journal.owed(); len(owed) != 0 {
		t.Errorf("caught up with slots %v owed", owed)
	}
	k.wantAnswer(10, 0)
	k.wantAnswer(12, 0)
}

// TestPurposeIsNoPoison: a process that ended on purpose is not counted against
// the requests that it had under way.
func TestPurposeIsNoPoison(t *testing.T) {
	k := newFakeKernel(t)
	j := k.crashed(Config{}, request(opGetattr, 10, 1, make([]byte, 16)))
	for range 2 * maxDispatches {
		edit(t, j, func(j *journal) {
			j.count(0)
			j.header().deliberate = 1
		})
		s, err := Restore(k.dup(), dup(t, j), Config{})
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Stats().Deaths; n != 0 {
			t.Errorf("got %d deaths, want none", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f := newTestFS()
	stop := serve(t, k.restore(j, Config{}, f))
	k.wantAnswer(10, 0)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestStopWithoutKick: a kernel that retrieves from no directory can't wake who
// waits in read(2). The stop does not wait either, and what is read after it is
// handled.
func TestStopWithoutKick(t *testing.T) {
	k := newFakeKernel(t)
	s, err := Create(k.dup(), Config{Grace: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	f := newTestFS()
	k.greet()
	if err := s.Init(f); err != nil {
		t.Fatal(err)
	}
	k.wantAnswer(2, 0)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	eventually(t, "reading", func() bool { return s.Stats().Reading == 1 })
	if err := unix.Shutdown(k.server, unix.SHUT_WR); err != nil { // kicks wake nobody
		t.Fatal(err)
	}
	cancel()
	eventually(t, "stopping", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.stopping })
	if !refused(unix.EINVAL) || refused(unix.EPIPE) {
		t.Error("EINVAL is a kernel that does not kick, EPIPE a connection that is gone")
	}
	s.leaveReadersBehind()
	if err := <-done; err != nil {
		t.Error(err)
	}
	k.getattr(10, 1)
	eventually(t, "handled", func() bool { return f.requests.Load() == 1 })
	unix.Shutdown(k.fd, unix.SHUT_RDWR)
	eventually(t, "closed", func() bool { return s.Close() == nil })
}

// TestDispatchesBelongToARequest: a slot's next request starts anew.
func TestDispatchesBelongToARequest(t *testing.T) {
	j, err := createJournal(MinSlots, minReadBuffer, os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(j.fd)
	defer j.unmap()
	copy(j.slot(0), request(opGetattr, 10, 1, nil))
	j.count(0)
	j.count(0)
	copy(j.slot(0), request(opGetattr, 12, 1, nil))
	if n := j.dispatches(0); n != 0 {
		t.Errorf("got %d dispatches of a new request, want 0", n)
	}
	j.count(0)
	if n := j.dispatches(0); n != 1 {
		t.Errorf("got %d, want 1", n)
	}
}

func TestTornSlot(t *testing.T) {
	tests := []struct {
		name  string
		h     inHeader
		reply bool
	}{
		{"short", inHeader{length: 5, opcode: opGetattr, unique: 10}, true},
		{"longer than a slot", inHeader{length: 1 << 20, opcode: opGetattr, unique: 10}, true},
		{"no opcode", inHeader{length: 56, unique: 10}, true},
		{"nobody's", inHeader{length: 56, opcode: opGetattr}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newFakeKernel(t)
			var seen events
			msg := make([]byte, 56)
			*headerOf(msg) = tt.h
			s := k.restore(k.crashed(Config{}, msg), Config{Report: seen.add}, newTestFS())
			serve(t, s)
			if tt.reply {
				k.wantAnswer(10, unix.EIO)
			}
			k.getattr(12, 1)
			k.wantAnswer(12, 0)
			if n := seen.count(EventTorn); n != 1 {
				t.Errorf("got %d torn slots reported, want 1", n)
			}
		})
	}
}

// TestSpares: requests that take long do not keep the next from being read.
func TestSpares(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	s, _ := k.start(Config{}, f)
	const held = MinSlots - 1
	for i := range uint64(held) {
		k.getattr(100+2*i, nodeHeld)
	}
	eventually(t, "all under way", func() bool { return f.held.Load() == held })
	k.getattr(10, 1)
	k.wantAnswer(10, 0)
	close(f.release)
	for range held {
		if _, status, _ := k.answer(); status != 0 {
			t.Errorf("got %d, want 0", status)
		}
	}
	eventually(t, "calm", func() bool { st := s.Stats(); return st.Busy == 0 && st.Reading == 1 })
}

// TestPatience: who looks for starvation in vain looks less often, but not for
// long once there was one.
func TestPatience(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	s, _ := k.start(Config{Readers: 1}, f)
	patience := func() time.Duration {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.patience
	}
	for unique := uint64(1000); patience() < maxPatience; unique += 2 {
		s.mu.Lock()
		s.watchReaders(s.patience) // as when the last reader got a request
		s.mu.Unlock()
		k.getattr(unique, 1)
		k.wantAnswer(unique, 0)
	}
	k.getattr(100, nodeHeld)
	eventually(t, "the patience is set back", func() bool { return patience() == defaultPatience })
	close(f.release)
	k.wantAnswer(100, 0)
}

func TestNoSlotLeftIsReported(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	var seen events
	k.start(Config{Report: seen.add}, f)
	for i := range uint64(MinSlots + 5) {
		k.getattr(100+2*i, nodeHeld)
	}
	eventually(t, "reported", func() bool { return seen.count(EventBusy) > 0 })
	close(f.release)
	for range MinSlots + 5 {
		k.answer()
	}
}

// TestStopLosesNothing stops and restores many times while requests come in.
func TestStopLosesNothing(t *testing.T) {
	k := newFakeKernel(t)
	s, stop := k.start(Config{Grace: time.Hour}, newTestFS())
	next := uint64(10)
	for range 30 {
		journal := dup(t, s.JournalFD())
		for range 5 {
			k.getattr(next, 1)
			next += 2
		}
		begin := time.Now()
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d > time.Minute { // it waits for nobody, Grace is an hour
			t.Errorf("stop took %v", d)
		}
		var err error
		if s, err = Restore(k.dup(), journal, Config{Grace: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if err := s.Init(newTestFS()); err != nil {
			t.Fatal(err)
		}
		if n := s.Stats().Deaths; n != 0 {
			t.Errorf("got %d deaths, want none: it was a stop", n)
		}
		stop = serve(t, s)
	}
	answered := make(map[uint64]bool)
	for len(answered) < int(next-10)/2 {
		if unique, _, _ := k.answer(); unique != 2 {
			answered[unique] = true
		}
	}
}

func TestUnmounted(t *testing.T) {
	k := newFakeKernel(t)
	s, err := Create(k.dup(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	k.greet()
	if err := s.Init(newTestFS()); err != nil {
		t.Fatal(err)
	}
	unix.Shutdown(k.fd, unix.SHUT_RDWR)
	if err := s.Serve(t.Context()); !errors.Is(err, ErrUnmounted) {
		t.Errorf("got %v, want ErrUnmounted", err)
	}
	eventually(t, "closed", func() bool { return s.Close() == nil })
}

// TestRestoredLimits: what the first process agreed on stays, whatever this one
// would choose.
func TestRestoredLimits(t *testing.T) {
	k := newFakeKernel(t)
	fd := k.crashed(Config{MaxRead: 2 * MinRead, Options: fuse.MountOptions{SyncRead: true}})
	var before []byte
	edit(t, fd, func(j *journal) { before = bytes.Clone(j.initAnswer()) })
	s := k.restore(fd, Config{}, newTestFS())
	serve(t, s)
	if got := s.journal.initAnswer(); !bytes.Equal(got, before) {
		t.Errorf("got %x, want %x", got, before)
	}
	agreed := agreedInit(s.journal.initRequest(), before)
	if out := s.InitAnswer(); agreed.Flags != out.Flags || agreed.Minor != out.Minor || out.Flags&fuse.CAP_ASYNC_READ != 0 {
		t.Errorf("go-fuse was offered flags %#x, minor %d; want those of the answer, %#x, %d", agreed.Flags, agreed.Minor, out.Flags, out.Minor)
	}
	k.send(opRead, 10, nodeHuge, readBody(2*MinRead))
	if _, status, body := k.answer(); status != 0 || !bytes.Equal(body, testContent(nodeHuge)) {
		t.Errorf("got a READ of %d bytes with %d, %d bytes; want 0, %d", 2*MinRead, status, len(body), len(testContent(nodeHuge)))
	}
}

func TestInitInterrupted(t *testing.T) {
	tests := []struct {
		name   string
		change func(s *Session, msg []byte)
	}{
		{"nothing read", nil},
		{"read", func(s *Session, msg []byte) { copy(s.journal.slot(0), msg) }},
		{"recorded", func(s *Session, msg []byte) { s.journal.record(initInOffset, msg); copy(s.journal.slot(0), msg) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newFakeKernel(t)
			s, err := Create(k.dup(), Config{})
			if err != nil {
				t.Fatal(err)
			}
			journal := dup(t, s.JournalFD())
			if tt.change != nil {
				tt.change(s, request(opInit, 2, 0, initBody(kernelOffers)))
			} else {
				k.greet()
			}
			s.Close()
			s, err = Restore(k.dup(), journal, Config{})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Init(newTestFS()); err != nil {
				t.Fatal(err)
			}
			serve(t, s)
			k.wantAnswer(2, 0)
			k.getattr(4, 1)
			for { // a slot that still holds INIT is answered a second time: harmless
				if unique, status, _ := k.answer(); unique == 4 {
					if status != 0 {
						t.Errorf("got %d, want 0", status)
					}
					break
				}
			}
		})
	}
}

// One request may take as long as it likes, and so may all but one. When all are
// stuck and another one waits, nobody is served.
func TestSelfCheck(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	s, _ := k.start(Config{Slots: MinSlots}, f)
	const limit = 20 * time.Millisecond
	if err := s.SelfCheck(time.Second); err != nil {
		t.Errorf("nothing asked: %v", err)
	}
	for i := range uint64(MinSlots - 1) {
		k.getattr(10+2*i, nodeHeld)
	}
	eventually(t, "all but one are stuck", func() bool {
		st := s.Stats()
		return f.held.Load() == MinSlots-1 && st.Longest > limit && st.Reading == 1
	})
	if err := s.SelfCheck(limit); err != nil {
		t.Errorf("all but one are stuck: %v", err)
	}
	k.getattr(1000, nodeSmall)
	k.wantAnswer(1000, 0)
	k.getattr(1002, nodeHeld)
	eventually(t, "all are stuck", func() bool { return f.held.Load() == MinSlots && s.Stats().Reading == 0 && s.untaken() > limit })
	if err := s.SelfCheck(limit); err != nil {
		t.Errorf("all are stuck, and nobody else asks: %v", err)
	}
	k.getattr(1004, nodeSmall)
	eventually(t, "stuck", func() bool { return errors.Is(s.SelfCheck(limit), ErrStuck) })
	f.release <- struct{}{}
	k.answer() // of the one that was held
	k.wantAnswer(1004, 0)
	eventually(t, "one reads", func() bool { return s.Stats().Reading == 1 })
	if err := s.SelfCheck(limit); err != nil {
		t.Errorf("all but one are stuck again: %v", err)
	}
	close(f.release)
	for range MinSlots - 1 {
		k.answer()
	}
}

// Where all slots are stuck with requests that each process is killed for in the
// end, these are answered with EIO, and who waited behind them is served.
func TestAllStuckIsPoison(t *testing.T) {
	k := newFakeKernel(t)
	var owed [][]byte
	for i := range uint64(MinSlots) {
		owed = append(owed, request(opGetattr, 10+2*i, nodeHeld, make([]byte, 16)))
	}
	j := k.crashed(Config{Slots: MinSlots}, owed...)
	edit(t, j, func(j *journal) {
		for i := range owed {
			for range maxDispatches {
				j.count(i)
			}
		}
	})
	k.getattr(1000, nodeSmall)
	serve(t, k.restore(j, Config{Crashed: true}, newTestFS()))
	for range owed {
		if unique, status, _ := k.answer(); unique == 1000 || status != -int32(unix.EIO) {
			t.Errorf("got %d for %#x, want EIO for those that are owed, first", status, unique)
		}
	}
	k.wantAnswer(1000, 0)
}

// stuckRoot is a file system whose root does not answer.
type stuckRoot struct {
	fuse.RawFileSystem
	release chan struct{}
}

func (f stuckRoot) GetAttr(<-chan struct{}, *fuse.GetAttrIn, *fuse.AttrOut) fuse.Status {
	<-f.release
	return fuse.OK
}

func TestSelfCheckRenders(t *testing.T) {
	k := newFakeKernel(t)
	f := stuckRoot{newTestFS(), make(chan struct{})}
	s, _ := k.start(Config{}, f)
	for range 2 {
		if err := s.SelfCheck(10 * time.Millisecond); !errors.Is(err, ErrStuck) {
			t.Errorf("got %v, want ErrStuck", err)
		}
	}
	close(f.release)
	eventually(t, "well again", func() bool { return s.SelfCheck(time.Second) == nil })
}

func TestLibraryLogIsLimited(t *testing.T) {
	k := newFakeKernel(t)
	var seen events
	k.start(Config{Report: seen.add}, newTestFS())
	const n = 500
	for i := range uint64(n) {
		k.send(3999, 10+2*i, 1, nil) // beyond go-fuse's table
		k.send(60, 10001+2*i, 1, nil)
		k.answer()
		k.answer()
	}
	if got := seen.count(EventLibrary); got == 0 || got > 2*eventBurst {
		t.Errorf("got %d lines of %d, want some, at most %d", got, n, 2*eventBurst)
	}
}

func TestEventString(t *testing.T) {
	e := Event{Kind: EventForeign, Message: "x", Err: errUnusable}
	if got := e.String(); !strings.HasPrefix(got, "foreign journal: x: ") {
		t.Errorf("got %q", got)
	}
	if unsafe.Sizeof(inHeader{}) != inHeaderSize || unsafe.Sizeof(outHeader{}) != outHeaderSize || unsafe.Sizeof(frozen{}) != 40 || entrySize != 128 {
		t.Error("a layout changed")
	}
}

// TestReplayed: the file system can tell a request that may have been carried
// out from one that was only read.
func TestReplayed(t *testing.T) {
	k := newFakeKernel(t)
	j := k.crashed(Config{}, request(opGetattr, 10, nodeHeld, make([]byte, 16)), request(opGetattr, 12, nodeHeld, make([]byte, 16)))
	edit(t, j, func(j *journal) { j.count(1) })
	f := newTestFS()
	s := k.restore(j, Config{}, f)
	serve(t, s)
	eventually(t, "both are handled", func() bool { return f.held.Load() == 2 })
	if s.Replayed(10) || !s.Replayed(12) || s.Replayed(14) {
		t.Errorf("got %v, %v, %v; want only that of the dispatched one", s.Replayed(10), s.Replayed(12), s.Replayed(14))
	}
	close(f.release)
	for range 2 {
		if unique, status, _ := k.answer(); status != 0 {
			t.Errorf("got answer to %d with %d, want 0", unique, status)
		}
	}
	eventually(t, "answered", func() bool { return !s.Replayed(12) })
}
