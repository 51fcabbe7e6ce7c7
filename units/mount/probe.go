package mount

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Prober tells whether the lxcfs mount at a path is dead. It must return within
// a bounded time and must not touch the path from this process.
type Prober func(ctx context.Context, mountpoint string) (dead bool, err error)

// probeName is argv[0] of the child that [ProbeChild] starts.
const probeName = "lxcfs-mount-probe"

// Exit statuses of the child, apart from those that shells and Go use.
const (
	probeAlive = 40
	probeDead  = 41
)

// IsProbe reports whether this process was started by [ProbeChild]; its main
// function must then do nothing but exit with [ProbeMain]'s status.
func IsProbe(args []string) bool { return len(args) == 2 && args[0] == probeName }

// ProbeMain asks the mount for its statistics, statfs(2), and returns the exit
// status for the parent. It may never return.
func ProbeMain(args []string) int {
	var st unix.Statfs_t
	// ECONNABORTED: it died while the request waited (fuse_abort_conn in
	// fs/fuse/dev.c).
	if err := unix.Statfs(args[1], &st); errors.Is(err, unix.ENOTCONN) || errors.Is(err, unix.ECONNABORTED) {
		return probeDead
	}
	return probeAlive
}

// ProbeChild returns a Prober that starts this same program as a child, which
// does the one request that tells: the kernel shows a broken connection only
// by failing a request (neither mountinfo nor /sys/fs/fuse tells), and a
// request to a connection that is held but not served returns never. A child
// that waits for one is killed after the timeout, and its mount is alive:
// somebody holds it. A child that cannot be killed, because a server took its
// request and was stopped, is left behind until that server goes on.
//
// Only a program whose main function honours [IsProbe] may use it.
func ProbeChild(timeout time.Duration) Prober {
	return func(ctx context.Context, mountpoint string) (bool, error) {
		cmd := exec.Command("/proc/self/exe")
		cmd.Args = []string{probeName, mountpoint}
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			return false, err
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		select {
		case err := <-done:
			return probeResult(err)
		case <-timer.C:
			return false, kill(cmd.Process)
		case <-ctx.Done():
			return false, errors.Join(ctx.Err(), kill(cmd.Process))
		}
	}
}

// kill does not mind that the process ended meanwhile.
func kill(p *os.Process) error {
	if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// probeResult translates the child's exit status.
func probeResult(err error) (dead bool, _ error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false, errors.Join(errors.New("probe ended without an answer"), err)
	}
	switch exit.ExitCode() {
	case probeAlive:
		return false, nil
	case probeDead:
		return true, nil
	}
	return false, fmt.Errorf("probe: %w", err)
}
