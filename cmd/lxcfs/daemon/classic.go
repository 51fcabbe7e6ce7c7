package daemon

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/mount"
)

// Config is what the command line says.
type Config struct {
	Log     logs.Logger
	Version string

	// Of the one connection of a process that is no service.
	Mountpoint string
	Flags      uintptr // of mount(2)
	Options    string  // of the view
	Pidfile    string
}

// origin is that of the one connection.
func (c Config) origin() origin { return origin{Mountpoint: c.Mountpoint, Options: c.Options} }

// onlyID is the id of the one connection of a classic lxcfs.
const onlyID = "1"

// Classic mounts, serves in this process, and unmounts.
func Classic(c Config) error {
	files, err := process.InheritedFiles()
	if err != nil {
		return err
	}
	// Caught before the mount is there: none of these may end the process
	// with a mount left behind.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2)
	signal.Ignore(unix.SIGPIPE)

	pid, p, mountpoint, err := c.begin(files)
	if err != nil {
		return err
	}
	defer pid.Close(c.Log)
	err = serveClassic(c, signals, pid, p)
	if unmountErr := mount.Detach(mountpoint); unmountErr != nil && !errors.Is(unmountErr, unix.EINVAL) {
		err = errors.Join(err, unmountErr)
	}
	return err
}

// begin takes the pid file and mounts, or goes on with what the process had
// before it was executed anew.
func (c Config) begin(files process.Files) (*process.Pidfile, parts, string, error) {
	if fd, ok := files["pidfile"]; ok {
		return &process.Pidfile{Path: c.Pidfile, FD: fd}, partsOf(files, onlyID), c.Mountpoint, nil
	}
	pid, err := process.CreatePidfile(c.Pidfile)
	if err != nil {
		return nil, parts{}, "", err
	}
	fd, mountpoint, err := mount.New(context.Background(), c.Mountpoint, c.Flags)
	if err != nil {
		return nil, parts{}, "", errors.Join(process.Lasting(err), pid.Remove())
	}
	return pid, freshParts(fd), mountpoint, nil
}

// serveClassic serves the connection until a signal or an unmount ends it.
func serveClassic(c Config, signals <-chan os.Signal, pid *process.Pidfile, p parts) error {
	srv, err := newServer(c, new(descriptors))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := srv.add(ctx, onlyID, p, c.origin()); err != nil {
		return err
	}
	go srv.handle(signals, cancel, func() error {
		files := srv.files()
		files["pidfile"] = pid.FD
		return process.Reexec(files, os.Args)
	})
	return srv.wait(ctx)
}

// handle acts on signals until one of them says stop.
func (s *server) handle(signals <-chan os.Signal, stop func(), reexec func() error) {
	for sig := range signals {
		switch sig {
		case unix.SIGUSR1:
			s.log.Info("executing anew", "binary", process.Executable())
			s.leave(true)
			if err := reexec(); err != nil {
				s.leave(false)
				s.log.Error("not executed anew, serving on", "error", err)
			}
		case unix.SIGUSR2:
			s.toggle()
		default:
			s.log.Info("stopping", "signal", sig)
			stop()
			return
		}
	}
}
