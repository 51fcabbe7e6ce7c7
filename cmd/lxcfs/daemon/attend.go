package daemon

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/config"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/mount"
)

// initWait is how long the kernel may take to send INIT on a connection that is
// mounted. It sends it in mount(2).
const initWait = 5 * time.Second

// arrivalWait is how long a mount may take from mount(2) to this process.
const arrivalWait = time.Second

// attend takes mounts from the mount helper until ctx is done or the function
// that it returns is called, which waits for the helpers at hand.
func (s *service) attend(ctx context.Context) (finish func()) {
	if s.listener < 0 {
		return func() {}
	}
	front := mount.Server{
		Handle: func(accepting context.Context, r mount.Request) error {
			if r.Failed != nil {
				return s.failed(accepting, r)
			}
			return s.refuse(r.Mountpoint, s.take(ctx, r))
		},
		Report: s.notTaken,
	}
	accepting, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := front.Serve(accepting, s.listener); err != nil {
			s.log.Error("no further mounts are taken", "error", err)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// notTaken reports a helper that got no ack.
func (s *service) notTaken(peer unix.Ucred, err error) {
	s.log.Warn("no mount taken", "pid", peer.Pid, "uid", peer.Uid, "reason", err)
	if errors.Is(err, mount.ErrHungUp) {
		s.missed.Store(true)
		s.wake()
	}
}

// refuse notes that the mount which the service was started for can't be served or
// made: it need not wait for it any more. err is returned.
func (s *service) refuse(mountpoint string, err error) error {
	home := mount.Home(s.socket())
	if err == nil || home != "" && home != mountpoint {
		return err
	}
	reason := fmt.Errorf("no mount at %s: %w", mountpoint, err)
	switch {
	case process.Passes(err):
		reason = fmt.Errorf("%w: %w", errMissed, reason)
	default:
		reason = process.Hopeless(reason)
	}
	s.refused.CompareAndSwap(nil, &reason) // the first knows best
	s.wake()
	return err
}

// failed is told of a mount that was not made. Where one is already that may be on
// its way here: nil says that it has arrived.
func (s *service) failed(accepting context.Context, r mount.Request) error {
	const pause = 20 * time.Millisecond
	for end := time.Now().Add(arrivalWait); r.Connection != 0 && accepting.Err() == nil && time.Now().Before(end); {
		if s.serves(r.Connection) {
			return nil
		}
		time.Sleep(pause)
	}
	return s.refuse(r.Mountpoint, r.Failed)
}

// socket is the path of the socket on which mounts come; "" if that is not known.
func (s *service) socket() string {
	name, err := unix.Getsockname(s.listener)
	if err != nil {
		return ""
	}
	if local, ok := name.(*unix.SockaddrUnix); ok {
		return local.Name
	}
	return ""
}

// wake has run look at what changed.
func (s *service) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// take serves a mount that was handed over. The helper sends the same one again
// when the daemon died before its ack: it may be served already.
func (s *service) take(ctx context.Context, r mount.Request) error {
	s.taking.RLock()
	defer s.taking.RUnlock()
	if s.serves(r.Connection) {
		unix.Close(r.FD)
		return nil
	}
	_, err := config.ParseMountOptions(r.Options)
	if err == nil {
		err = awaitInit(r.FD)
	}
	if err != nil {
		unix.Close(r.FD)
		return err
	}
	err = s.add(ctx, s.last.next(), freshParts(r.FD), origin{Mountpoint: r.Mountpoint, Options: r.Options, Connection: r.Connection})
	if err != nil {
		return err
	}
	s.wake()
	return nil
}

// serves says whether the connection of that number is served here. A number is
// given anew once its superblock is gone, and then the old connection is dead.
func (s *server) serves(connection uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		if connection != 0 && c.origin.Connection == connection {
			alive, err := mount.ConnectionAlive(c.session.FD())
			return alive && err == nil
		}
	}
	return false
}

// awaitInit waits until a request can be read: without one, somebody else has
// answered INIT, and whoever waits for the next request waits for ever.
func awaitInit(fd int) error {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for end := time.Now().Add(initWait); ; {
		n, err := unix.Poll(p, int(max(0, time.Until(end).Milliseconds())))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0 || p[0].Revents&unix.POLLIN == 0:
			return errors.New("the kernel sent no INIT: the connection is served by somebody else, or gone")
		}
		return nil
	}
}

// idSource makes ids that no connection in the store has.
type idSource struct {
	mu   sync.Mutex
	last uint64
}

// seen notes an id that is in use.
func (i *idSource) seen(id string) {
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.last = max(i.last, n)
}

func (i *idSource) next() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.last++
	return strconv.FormatUint(i.last, 10)
}
