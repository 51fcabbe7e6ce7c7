package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
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

// attend takes mounts from the mount helper until accepting is done, and then waits
// for the helpers at hand. The mounts are served as long as ctx.
func (s *service) attend(ctx, accepting context.Context) {
	front := mount.Server{
		Handle: func(accepting context.Context, r mount.Request) error {
			if r.Failed != nil {
				return s.failed(accepting, r)
			}
			return s.refuse(r.Mountpoint, s.take(ctx, r))
		},
		Report: s.notTaken,
	}
	if err := front.Serve(accepting, s.listener); err != nil {
		s.log.Error("no further mounts are taken", "error", err)
	}
}

// notTaken reports a helper that got no ack.
func (s *service) notTaken(peer unix.Ucred, err error) {
	s.log.Warn("no mount taken", "pid", peer.Pid, "uid", peer.Uid, "reason", err)
	if errors.Is(err, mount.ErrHungUp) {
		_ = s.do(func() error { s.missed = true; return nil })
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
	_ = s.do(func() error {
		s.refused = cmp.Or(s.refused, reason) // the first knows best
		return nil
	})
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

// take serves a mount that was handed over. The helper sends the same one again
// when the daemon died before its ack: it may be served already.
func (s *service) take(ctx context.Context, r mount.Request) error {
	if s.serves(r.Connection) {
		unix.Close(r.FD)
		return nil
	}
	_, err := config.ParseMountOptions(r.Options)
	if err == nil {
		err = awaitInit(r.FD)
	}
	taken := false
	if err == nil {
		err = s.do(func() error {
			if s.serves(r.Connection) { // another helper brought it meanwhile
				return nil
			}
			taken = true
			s.last++
			return s.add(ctx, strconv.FormatUint(s.last, 10), freshParts(r.FD),
				origin{Mountpoint: r.Mountpoint, Options: r.Options, Connection: r.Connection})
		})
	}
	if !taken {
		unix.Close(r.FD)
	}
	return err
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

// number is the number that an id is, 0 for none.
func number(id string) uint64 {
	n, _ := strconv.ParseUint(id, 10, 32)
	return n
}
