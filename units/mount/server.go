package mount

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Request is a mount that a helper hands over, or could not make.
type Request struct {
	// FD is the connection: a mounted, readable and writable [Device]; -1 with
	// Failed.
	FD int
	// Failed is why there is no mount of ours at Mountpoint; see [Failure].
	Failed error
	// Mountpoint and Options are as in [Handover]; neither has been judged.
	Mountpoint, Options string
	// Connection is the number below /sys/fs/fuse/connections, 0 when not known.
	Connection uint32
	// Peer is the helper, a process of root.
	Peer unix.Ucred
}

// Server is the daemon's end of the hand-over. Its methods may be called by one
// goroutine; Handle and Report are called by many at once.
type Server struct {
	// Handle takes over a request. It owns r.FD from the call on, whatever it
	// returns, and returns when the connection is served and stored for the
	// next daemon. An error is the reason that the helper shows and after which
	// it unmounts. Of one that failed, nil says that the connection is served
	// here all the same. ctx is Serve's.
	Handle func(ctx context.Context, r Request) error
	// Report is told of each client that got no ack, once; may be nil.
	Report func(peer unix.Ucred, err error)
	// Timeout bounds the wait for a client's message and for sending the reply;
	// 5 s when 0. It does not bound Handle.
	Timeout time.Duration
	// Clients is how many are dealt with at once; 16 when 0. The others wait in
	// the socket's backlog.
	Clients int
}

// ErrHungUp is reported, wrapped, for a client that did not wait for its answer.
var ErrHungUp = errors.New("the client hung up")

// Serve takes mounts from the listening SOCK_SEQPACKET socket until ctx is
// done, then waits for the clients at hand, which get their answers all the
// same. Those in the backlog stay there, for whoever serves next. The listener
// stays the caller's.
func (s *Server) Serve(ctx context.Context, listener int) error {
	l, err := packetListener(listener)
	if err != nil {
		return fmt.Errorf("mount socket: %w", err)
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.SetDeadline(time.Unix(1, 0)) })()
	slots := make(chan struct{}, orDefault(s.Clients, 16))
	var clients sync.WaitGroup
	defer clients.Wait()
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := l.AcceptUnix()
		switch {
		case err != nil && ctx.Err() != nil:
			return nil
		case err != nil && !transient(err):
			return fmt.Errorf("mount socket: %w", err)
		case err != nil:
			<-slots
			pause(ctx, 100*time.Millisecond)
			continue
		}
		clients.Go(func() {
			defer func() { <-slots }()
			s.client(ctx, conn)
		})
	}
}

// transient is an accept(2) failure that goes away: no descriptors or memory
// are left, or the client did not wait.
func transient(err error) bool {
	for _, e := range []error{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS, unix.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// packetListener makes a listener of a duplicate of fd, so that neither closes
// the other's.
func packetListener(fd int) (*net.UnixListener, error) {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return nil, os.NewSyscallError("getsockopt", err)
	}
	if kind != unix.SOCK_SEQPACKET {
		return nil, fmt.Errorf("socket type %d, want SOCK_SEQPACKET", kind)
	}
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	f := os.NewFile(uintptr(dup), "mount socket")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	unixListener, ok := l.(*net.UnixListener)
	if !ok {
		l.Close()
		return nil, errors.New("not an AF_UNIX socket")
	}
	return unixListener, nil
}

// client deals with one connected helper and closes it.
func (s *Server) client(ctx context.Context, conn *net.UnixConn) {
	defer conn.Close()
	timeout := orDefault(s.Timeout, 5*time.Second)
	conn.SetReadDeadline(time.Now().Add(timeout))
	request, err := receive(conn)
	if err == nil {
		err = s.Handle(ctx, request)
	}
	conn.SetWriteDeadline(time.Now().Add(timeout))
	_, werr := conn.Write(appendReply(err))
	if err == nil && werr != nil {
		err = fmt.Errorf("%w before the ack for %s: %w", ErrHungUp, request.Mountpoint, werr)
	}
	if err != nil {
		drain(conn)
		if s.Report != nil {
			s.Report(request.Peer, err)
		}
	}
}

// drain throws away a message that was not read, since closing a socket with
// one would take the reply from the client (ECONNRESET). Without room for
// control data the kernel closes what descriptors it carries.
func drain(conn *net.UnixConn) {
	conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	conn.Read(make([]byte, 1))
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}
