package daemon

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/mount"
)

// onlyID is the id of the one connection of a process that is no service.
const onlyID = "1"

// Classic mounts, serves in this process, and unmounts.
func Classic(c Config) error {
	files, err := process.InheritedFiles()
	if err != nil {
		return err
	}
	// Caught before the mount is there: none of these may end the process
	// with a mount left behind.
	signals := process.CatchSignals()
	pid, p, mountpoint, err := c.begin(files)
	if err != nil {
		return err
	}
	defer pid.Close(c.Log)
	s, err := newServer(c, new(descriptors))
	if err == nil {
		err = s.serveOne(c, p, func(ctx context.Context, stop func()) error {
			return s.run(ctx, stop, signals, mode{passOn: process.Files{"pidfile": pid.FD}, end: s.failure})
		})
	}
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

// serveOne starts to serve the one connection and calls run.
func (s *server) serveOne(c Config, p parts, run func(ctx context.Context, stop func()) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := s.add(ctx, onlyID, p, origin{Mountpoint: c.Mountpoint, Options: c.Options}); err != nil {
		return err
	}
	return run(ctx, cancel)
}
