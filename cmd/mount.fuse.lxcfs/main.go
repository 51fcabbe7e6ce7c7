package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cmd/escape"
	"linuxcontainers.org/lxcfs/units/mount"
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
	fmt.Fprintf(os.Stderr, "mount.fuse.lxcfs: %s\n", escape.Text(err.Error()))
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

// mount makes the mount and leaves it only if the daemon took it. A daemon that
// was started for a mount which can't be made is told.
func (h helper) mount(ctx context.Context, a arguments, options mount.Options) error {
	told, err := h.tryMount(ctx, a, options)
	if err != nil && !told {
		_ = h.tell(ctx, mount.Failure{Mountpoint: a.target, Reason: err, Connection: connectionAt(a.target)}) // err says it all
	}
	return err
}

// tryMount is mount. told says that the daemon knows the error, or can't be told.
func (h helper) tryMount(ctx context.Context, a arguments, options mount.Options) (told bool, err error) {
	target, err := mount.ReplaceDead(ctx, hostfile.OS{}, a.target, h.probe)
	if err != nil {
		return false, &statusError{exitMount, err}
	}
	fd, err := mount.OpenDevice()
	if err != nil {
		return false, &statusError{exitSystem, fmt.Errorf("%w (is FUSE available here?)", err)}
	}
	defer unix.Close(fd)
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	daemon, err := mount.Dial(ctx, h.socket) // before the mount, which may hide the socket
	if err != nil {
		return true, h.failure(ctx, target, err)
	}
	defer daemon.Close()
	if err := mount.Mount(fd, a.source, target, options.Flags, daemonUser()); err != nil {
		// Who hangs up is taken for one that was ended, and asked again.
		_ = daemon.Tell(ctx, mount.Failure{Mountpoint: target, Reason: err, Connection: connectionAt(target)}) // err says it all
		return true, &statusError{exitMount, err}
	}
	connection := connectionAt(target)
	err = h.handOver(ctx, daemon, mount.Handover{
		FD: fd, Mountpoint: target, Options: options.Lxcfs, Connection: connection,
	})
	if err != nil {
		if connectionAt(target) == connection { // unless another is on top meanwhile
			err = errors.Join(err, mount.Detach(target))
		}
		return true, h.failure(ctx, target, err)
	}
	if a.verbose {
		fmt.Fprintf(h.stdout, "mount.fuse.lxcfs: %s mounted, served by the daemon\n", target)
	}
	return true, nil
}

// detachDead takes away the dead mounts of ours at target. To the service manager
// a mount is one, dead or not, and it would never start its unit. What else is
// there stays. If it is not the daemon's, that is told to the daemon, which waits
// for its own in vain; and to the service manager by a file, see foreign.
func (h helper) detachDead(ctx context.Context, target string) error {
	if h.socket == "" {
		h.socket = mount.Socket
	}
	if err := os.Remove(h.foreign()); err != nil && !errors.Is(err, unix.ENOENT) {
		return &statusError{exitSystem, err}
	}
	_, err := mount.ReplaceDead(ctx, hostfile.OS{}, target, h.probe)
	switch {
	case err == nil || errors.Is(err, unix.ENOENT):
		return nil
	case !errors.Is(err, mount.ErrMounted):
		return &statusError{exitMount, err}
	}
	var refused *mount.RefusedError
	told := h.tell(ctx, mount.Failure{Mountpoint: target, Reason: err, Connection: connectionAt(target)})
	if !errors.As(told, &refused) {
		return nil // it is the daemon's, or there is none to ask
	}
	if err := os.WriteFile(h.foreign(), []byte(err.Error()+"\n"), 0o644); err != nil {
		return &statusError{exitSystem, err}
	}
	return nil
}

// foreign is the file that is there while what is mounted in the place of ours is
// not ours: lxcfs-active.target, whose stop would unmount it, is not started then.
func (h helper) foreign() string { return filepath.Join(filepath.Dir(h.socket), "foreign") }

// tellTimeout bounds the wait for a daemon that is told of a failure.
const tellTimeout = 5 * time.Second

// tell tells the daemon that the mount it was started for can't be made. Others
// are no reason to start it, which a message does.
func (h helper) tell(ctx context.Context, f mount.Failure) error {
	if home := mount.Home(h.socket); home != "" && home != f.Mountpoint {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	return mount.Tell(ctx, h.socket, f)
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
	path, err = table.Resolve(path)
	e, ok := table.At(path)
	if err != nil || !ok || !e.Ours() || e.Major != 0 {
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
