package session

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// fakeKernel is the other end of a SOCK_SEQPACKET pair that stands in for
// /dev/fuse: one message is one request or one answer.
type fakeKernel struct {
	t       *testing.T
	fd      int // ours
	server  int // the session's, a descriptor that the test keeps
	replies chan []byte
	notices chan int32 // notifications other than RETRIEVE
}

func newFakeKernel(t *testing.T) *fakeKernel {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	k := &fakeKernel{t: t, fd: pair[0], server: pair[1], replies: make(chan []byte, 1000), notices: make(chan int32, 10)}
	var pump sync.WaitGroup
	pump.Go(k.pump)
	t.Cleanup(func() {
		unix.Shutdown(k.fd, unix.SHUT_RDWR)
		pump.Wait()
		unix.Close(k.fd)
		unix.Close(k.server)
	})
	return k
}

// pump takes what the session writes, and answers a RETRIEVE as the kernel does.
func (k *fakeKernel) pump() {
	buf := make([]byte, 1<<20)
	for {
		n, err := unix.Read(k.fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		h := outHeaderOf(buf)
		switch {
		case h.unique == 0 && h.status == notifyRetrieve:
			k.send(opNotifyReply, 0, 1, make([]byte, 40))
		case h.unique == 0 && h.status > 0:
			k.notices <- h.status
		default:
			k.replies <- append([]byte(nil), buf[:n]...)
		}
	}
}

// dup returns a descriptor that a session may own.
func (k *fakeKernel) dup() int { return dup(k.t, k.server) }

func dup(t *testing.T, fd int) int {
	t.Helper()
	d, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func request(opcode uint32, unique, node uint64, body []byte) []byte {
	msg := append(make([]byte, inHeaderSize), body...)
	*headerOf(msg) = inHeader{length: uint32(len(msg)), opcode: opcode, unique: unique, node: node, pid: 1}
	return msg
}

func (k *fakeKernel) send(opcode uint32, unique, node uint64, body []byte) {
	if _, err := unix.Write(k.fd, request(opcode, unique, node, body)); err != nil && !errors.Is(err, unix.EPIPE) {
		k.t.Error("send:", err)
	}
}

// getattr asks for a node's attributes.
func (k *fakeKernel) getattr(unique, node uint64) { k.send(opGetattr, unique, node, make([]byte, 16)) }

func readBody(size uint32) []byte {
	var in fuse.ReadIn
	in.Size = size
	return bytesOf(&in)[inHeaderSize:]
}

// answer waits for the next answer.
func (k *fakeKernel) answer() (unique uint64, status int32, body []byte) {
	k.t.Helper()
	select {
	case r := <-k.replies:
		h := outHeaderOf(r)
		if int(h.length) != len(r) {
			k.t.Errorf("got an answer of %d bytes that says %d", len(r), h.length)
		}
		return h.unique, h.status, r[outHeaderSize:]
	case <-time.After(10 * time.Second):
		k.t.Fatal("no answer in 10 s")
		return 0, 0, nil
	}
}

func (k *fakeKernel) wantAnswer(unique uint64, errno unix.Errno) {
	k.t.Helper()
	u, status, _ := k.answer()
	if u != unique || status != -int32(errno) {
		k.t.Errorf("got answer to %#x with %d, want %#x with %d", u, status, unique, -int32(errno))
	}
}

// wantSilence fails if anything is answered in d.
func (k *fakeKernel) wantSilence(d time.Duration) {
	k.t.Helper()
	select {
	case r := <-k.replies:
		k.t.Errorf("got answer to %#x with %d, want none", outHeaderOf(r).unique, outHeaderOf(r).status)
	case <-time.After(d):
	}
}

func initBody(flags uint64) []byte {
	var in fuse.InitIn
	in.Major, in.Minor, in.MaxReadAhead = 7, 45, 1<<17
	in.Flags, in.Flags2 = uint32(flags)|fuse.CAP_INIT_EXT, uint32(flags>>32)
	return bytesOf(&in)[inHeaderSize:]
}

const kernelOffers = fuse.CAP_MAX_PAGES | fuse.CAP_ASYNC_READ | fuse.CAP_AUTO_INVAL_DATA | fuse.CAP_PASSTHROUGH | fuse.CAP_HAS_RESEND

// greet sends INIT.
func (k *fakeKernel) greet() { k.send(opInit, 2, 0, initBody(kernelOffers)) }

// events collects what a session reports.
type events struct {
	mu  sync.Mutex
	all []Event
}

func (e *events) add(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

func (e *events) count(kind EventKind) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, ev := range e.all {
		if ev.Kind == kind {
			n++
		}
	}
	return n
}

// crashed makes the journal of a process that negotiated and died, with the
// requests that it owed. The descriptor is the test's.
func (k *fakeKernel) crashed(cfg Config, owed ...[]byte) int {
	k.t.Helper()
	s, err := Create(k.dup(), cfg)
	if err != nil {
		k.t.Fatal(err)
	}
	k.greet()
	if err := s.Init(newTestFS()); err != nil {
		k.t.Fatal(err)
	}
	k.wantAnswer(2, 0)
	for i, msg := range owed {
		copy(s.journal.slot(i), msg)
	}
	fd := dup(k.t, s.JournalFD())
	if err := s.Close(); err != nil {
		k.t.Fatal(err)
	}
	return fd
}

// edit changes a journal that no session uses.
func edit(t *testing.T, fd int, change func(*journal)) {
	t.Helper()
	j, err := openJournal(fd, os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	change(j)
	if err := j.unmap(); err != nil {
		t.Fatal(err)
	}
}

// restore restores a session; its INIT answer, which it repeats, is taken.
func (k *fakeKernel) restore(journal int, cfg Config, raw fuse.RawFileSystem) *Session {
	k.t.Helper()
	s, err := Restore(k.dup(), journal, cfg)
	if err != nil {
		k.t.Fatal(err)
	}
	if err := s.Init(raw); err != nil {
		k.t.Fatal(err)
	}
	if !s.lost {
		k.wantAnswer(2, 0)
	}
	return s
}

// serve serves until the test ends, or the function it returns is called.
func serve(t *testing.T, s *Session) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() {
			cancel()
			err = <-done
			// Readers that were left behind end as soon as they wake.
			cerr := s.Close()
			for end := time.Now().Add(10 * time.Second); errors.Is(cerr, unix.EBUSY) && time.Now().Before(end); cerr = s.Close() {
				time.Sleep(time.Millisecond)
			}
			if cerr != nil {
				t.Error(cerr)
			}
		})
		return err
	}
	t.Cleanup(func() { stop() })
	return stop
}

// start makes a session of a new connection and serves it.
func (k *fakeKernel) start(cfg Config, raw fuse.RawFileSystem) (s *Session, stop func() error) {
	k.t.Helper()
	s, err := Create(k.dup(), cfg)
	if err != nil {
		k.t.Fatal(err)
	}
	k.greet()
	if err := s.Init(raw); err != nil {
		k.t.Fatal(err)
	}
	k.wantAnswer(2, 0)
	return s, serve(k.t, s)
}

func forgetBody() []byte { return make([]byte, unsafe.Sizeof(uint64(0))) }

// eventually waits until f holds.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatal("did not happen in 10 s:", what)
}
