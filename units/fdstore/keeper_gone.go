package fdstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Keeper returns the pid of the keeper that started this process, 0 if that was a
// service manager.
func (c *Client) Keeper() int {
	if c == nil {
		return 0
	}
	return c.keeper
}

// PassKeeperOn lets a program that is executed in the place of this one know its
// keeper, which [Inherited] has removed from the environment.
func (c *Client) PassKeeperOn() {
	if c.Keeper() != 0 {
		_ = os.Setenv(KeeperVariable, strconv.Itoa(c.keeper)) // fails for invalid names alone
	}
}

// KeeperGone waits until the keeper that started this process is dead and
// returns nil then. It returns the context's error when ctx ends first; with
// systemd, which does not die, that is all it does.
func (c *Client) KeeperGone(ctx context.Context) error {
	if c == nil || c.keeper == 0 {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	fd, err := unix.PidfdOpen(c.keeper, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pidfd of keeper %d: %w", c.keeper, err)
	}
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	defer pidfd.Close()
	if os.Getppid() != c.keeper {
		return nil // it died before, and the pid may be another's
	}
	stop := context.AfterFunc(ctx, func() { pidfd.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	raw, err := pidfd.SyscallConn()
	if err != nil {
		return fmt.Errorf("pidfd of keeper %d: %w", c.keeper, err)
	}
	err = raw.Read(func(fd uintptr) bool { return readable(int(fd)) })
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}

// readable reports whether a read of fd would not block. A pidfd becomes so
// when its process ends, pidfd_open(2).
func readable(fd int) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0 && poll[0].Revents&(unix.POLLIN|unix.POLLHUP) != 0
}
