//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// pollerEnv makes the test binary a poller: see pollFile.
const pollerEnv = "LXCFS_TEST_POLL"

// pollFile opens a file, writes a trigger into it, creates the file mark, and
// says which events poll(2) returned. With a uid other than 0 it first gives up
// all rights. The arguments are FILE|TRIGGER|MILLISECONDS|UID|MARK; an empty
// trigger is not written, an empty mark not created.
func pollFile(args string) error {
	f := strings.Split(args, "|")
	if len(f) != 5 {
		return fmt.Errorf("arguments: %q", args)
	}
	file, trigger, mark := f[0], f[1], f[4]
	timeout, err := strconv.Atoi(f[2])
	uid, uidErr := strconv.Atoi(f[3])
	if err := errors.Join(err, uidErr, become(uid)); err != nil {
		return err
	}
	flags := unix.O_RDONLY
	if trigger != "" {
		flags = unix.O_RDWR
	}
	fd, err := unix.Open(file, flags|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if trigger != "" {
		if _, err := unix.Write(fd, append([]byte(trigger), 0)); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	if mark != "" {
		if err := os.WriteFile(mark, nil, 0o644); err != nil {
			return err
		}
	}
	events, err := pollOnce(fd, timeout)
	if err != nil {
		return fmt.Errorf("poll: %w", err)
	}
	fmt.Println("events:", events)
	return nil
}

// become gives up all rights but those of a user; 0 keeps them.
func become(uid int) error {
	if uid == 0 {
		return nil
	}
	return errors.Join(syscall.Setgroups(nil), syscall.Setgid(uid), syscall.Setuid(uid))
}

// pollOnce waits for input or an event and returns the names of what came.
func pollOnce(fd, timeout int) (string, error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLPRI}}
	if strings.Contains(linkOf(fd), "/pressure/") {
		fds[0].Events = unix.POLLPRI // they are always readable
	}
	for {
		n, err := unix.Poll(fds, timeout)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return "", err
		case n == 0:
			return "0", nil
		default:
			return eventNames(fds[0].Revents), nil
		}
	}
}

func linkOf(fd int) string {
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return err.Error()
	}
	return path
}

func eventNames(events int16) string {
	var names []string
	for _, e := range []struct {
		bit  int16
		name string
	}{{unix.POLLIN, "IN"}, {unix.POLLPRI, "PRI"}, {unix.POLLERR, "ERR"}, {unix.POLLHUP, "HUP"}, {unix.POLLNVAL, "NVAL"}} {
		if events&e.bit != 0 {
			names = append(names, e.name)
		}
	}
	return strings.Join(names, " ")
}
