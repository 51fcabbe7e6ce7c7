package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/mount"
)

// version is set by the linker.
var version = "unknown"

// Exit statuses of mount(8).
const (
	exitOK        = 0
	exitUsage     = 1
	exitSystem    = 2
	exitInterrupt = 8
	exitMount     = 32
)

// answerTimeout is how long the daemon may take. It is shorter than the 90 s
// that systemd gives a mount unit, so that the sentence is ours.
const answerTimeout = 60 * time.Second

// statusError is an error with the exit status it leads to.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }

func main() {
	if mount.IsProbe(os.Args) {
		os.Exit(mount.ProbeMain(os.Args))
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	h := helper{
		timeout: answerTimeout,
		probe:   mount.ProbeChild(2 * time.Second),
		stdout:  os.Stdout,
	}
	h.socket = os.Getenv("LXCFS_MOUNT_SOCKET")
	err := h.run(ctx, os.Args[1:])
	if err == nil {
		os.Exit(exitOK)
	}
	fmt.Fprintf(os.Stderr, "mount.fuse.lxcfs: %v\n", err)
	status := exitSystem
	var se *statusError
	if errors.As(err, &se) {
		status = se.status
	}
	os.Exit(status)
}

// helper is what one run depends on.
type helper struct {
	socket  string // "": the daemon's that is for the options
	timeout time.Duration
	probe   mount.Prober
	stdout  io.Writer
}

func (h helper) run(ctx context.Context, args []string) error {
	a, err := parseArguments(args)
	if err != nil {
		return &statusError{exitUsage, fmt.Errorf("%w; see mount.fuse.lxcfs --help", err)}
	}
	switch {
	case a.help:
		_, err = fmt.Fprintf(h.stdout, usage, mount.Socket)
		return err
	case a.version:
		_, err = fmt.Fprintf(h.stdout, "mount.fuse.lxcfs %s\n", version)
		return err
	}
	options, err := mount.ParseOptions(a.options)
	if err != nil {
		return &statusError{exitUsage, err}
	}
	if os.Geteuid() != 0 {
		return &statusError{exitUsage, errors.New("only root can mount lxcfs")}
	}
	if a.fake {
		return nil
	}
	if a.detach != "" {
		return h.detachDead(ctx, a.detach)
	}
	if h.socket == "" {
		h.socket = mount.SocketFor(options.Lxcfs)
	}
	if options.Flags&unix.MS_REMOUNT != 0 {
		return h.remount(a.target, options)
	}
	return h.mount(ctx, a, options)
}

// mount makes the mount and leaves it only if the daemon took it.
func (h helper) mount(ctx context.Context, a arguments, options mount.Options) error {
	target, err := mount.ReplaceDead(ctx, hostfile.OS{}, a.target, h.probe)
	if err != nil {
		return &statusError{exitMount, err}
	}
	fd, err := mount.OpenDevice()
	if err != nil {
		return &statusError{exitSystem, fmt.Errorf("%w (is FUSE available here?)", err)}
	}
	defer unix.Close(fd)
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	daemon, err := mount.Dial(ctx, h.socket) // before the mount, which may hide the socket
	if err != nil {
		return h.failure(ctx, target, err)
	}
	defer daemon.Close()
	if err := mount.Mount(fd, a.source, target, options.Flags, daemonUser()); err != nil {
		return &statusError{exitMount, err}
	}
	connection := connectionAt(target)
	err = h.handOver(ctx, daemon, mount.Handover{
		FD: fd, Mountpoint: target, Options: options.Lxcfs, Connection: connection,
	})
	if err != nil {
		if connectionAt(target) == connection { // unless another is on top meanwhile
			err = errors.Join(err, mount.Detach(target))
		}
		return h.failure(ctx, target, err)
	}
	if a.verbose {
		fmt.Fprintf(h.stdout, "mount.fuse.lxcfs: %s mounted, served by the daemon\n", target)
	}
	return nil
}

// detachDead takes away the dead mounts of ours at target. To the service manager
// a mount is one, dead or not, and it would never start its unit. What else is
// there is no business of this.
func (h helper) detachDead(ctx context.Context, target string) error {
	_, err := mount.ReplaceDead(ctx, hostfile.OS{}, target, h.probe)
	if err != nil && !errors.Is(err, mount.ErrMounted) && !errors.Is(err, unix.ENOENT) {
		return &statusError{exitMount, err}
	}
	return nil
}

// retryPause is between two attempts to reach a daemon that died.
const retryPause = 100 * time.Millisecond

// handOver hands over until a daemon answers: one that hangs up without a word
// has died or is ending, and its successor comes by the same socket. It knows by
// the connection's number if the one before it has stored the mount already.
func (h helper) handOver(ctx context.Context, daemon *mount.Client, m mount.Handover) error {
	err := daemon.HandOver(ctx, m)
	// The way to the socket must not lead into the mount: nobody serves it yet.
	for errors.Is(err, mount.ErrNoAnswer) && m.Connection != 0 && !within(h.socket, m.Mountpoint) {
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryPause):
		}
		err = mount.HandOver(ctx, h.socket, m)
	}
	return err
}

// within says whether path is dir or below it.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// failure puts the reason for a failed hand-over into one sentence.
func (h helper) failure(ctx context.Context, target string, err error) error {
	var refused *mount.RefusedError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &statusError{exitInterrupt, errors.New("interrupted")}
	case errors.As(err, &refused):
		err = fmt.Errorf("the lxcfs daemon refuses %s: %w", target, err)
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED):
		err = fmt.Errorf("no lxcfs daemon listens on %s (is %s started?)", h.socket, unitOf(h.socket))
	default:
		err = fmt.Errorf("%s: %w", target, err)
	}
	return &statusError{exitMount, err}
}

// unitOf names the unit of a socket.
func unitOf(socket string) string {
	if socket == mount.CgroupSocket {
		return "lxcfs-cgroup.socket"
	}
	return "lxcfs.socket"
}

// connectionAt is the connection number of the mount at a path, 0 if unknown.
func connectionAt(path string) uint32 {
	table, err := mount.ReadTable(hostfile.OS{})
	if err != nil {
		return 0
	}
	e, ok := table.At(path)
	if !ok || !e.Ours() || e.Major != 0 {
		return 0
	}
	return e.Minor
}

// remount changes generic flags only: libmount gives all options of fstab or
// the unit again, and the daemon's are fixed once the mount is made.
func (h helper) remount(target string, options mount.Options) error {
	table, err := mount.ReadTable(hostfile.OS{})
	if err != nil {
		return &statusError{exitSystem, err}
	}
	path, err := table.Resolve(target)
	if err != nil {
		return &statusError{exitMount, err}
	}
	if e, ok := table.At(path); !ok || !e.Ours() {
		return &statusError{exitMount, fmt.Errorf("%s is not an lxcfs mount, so it cannot be remounted", path)}
	}
	if err := mount.Remount(path, options.Flags); err != nil {
		return &statusError{exitMount, err}
	}
	return nil
}

// daemonUser is the user whom the connection's control files belong to: the
// daemon's, or root where there is none.
func daemonUser() mount.Owner {
	u, err := user.Lookup("lxcfs")
	if err != nil {
		return mount.Owner{}
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		return mount.Owner{}
	}
	return mount.Owner{UID: uint32(uid), GID: uint32(gid)}
}
