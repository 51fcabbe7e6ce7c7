package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/units/mount"
)

// probeTimeout bounds the check whether a mount that is there already is dead.
const probeTimeout = 2 * time.Second

// onlyID is the id of the one connection of a classic lxcfs.
const onlyID = "1"

// runClassic mounts, serves in this process, and unmounts.
func runClassic(s settings, log logger) error {
	files, err := inheritedFiles()
	if err != nil {
		return err
	}
	// Caught before the mount is there: none of these may end the process
	// with a mount left behind.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2)
	signal.Ignore(unix.SIGPIPE)

	pid, p, mountpoint, err := s.begin(files)
	if err != nil {
		return err
	}
	defer pid.close(log)
	err = serveClassic(s, log, signals, pid, p)
	if unmountErr := mount.Detach(mountpoint); unmountErr != nil && !errors.Is(unmountErr, unix.EINVAL) {
		err = errors.Join(err, unmountErr)
	}
	return err
}

// begin takes the pid file and mounts, or goes on with what the process had
// before it was executed anew.
func (s *settings) begin(files namedFiles) (*pidfile, parts, string, error) {
	if fd, ok := files["pidfile"]; ok {
		return &pidfile{path: s.Pidfile, fd: fd}, files.parts(onlyID), s.Mountpoint, nil
	}
	pid, err := createPidfile(s.Pidfile)
	if err != nil {
		return nil, parts{}, "", err
	}
	fd, mountpoint, err := s.mount()
	if err != nil {
		return nil, parts{}, "", errors.Join(err, pid.remove())
	}
	return pid, freshParts(fd), mountpoint, nil
}

// mount mounts a new connection at the mountpoint, in the place of a dead mount
// of ours. It returns the connection and the resolved path. What stands in its way
// does so at the next start, too.
func (s *settings) mount() (fd int, mountpoint string, err error) {
	fd, mountpoint, err = s.tryMount()
	return fd, mountpoint, lasting(err)
}

func (s *settings) tryMount() (fd int, mountpoint string, err error) {
	flags, _, err := s.mountOptions()
	if err != nil {
		return -1, "", err
	}
	mountpoint, err = mount.ReplaceDead(context.Background(), hostfile.OS{}, s.Mountpoint, mount.ProbeChild(probeTimeout))
	if err != nil {
		return -1, "", err
	}
	if fd, err = mount.OpenDevice(); err != nil {
		return -1, "", fmt.Errorf("%w (is the fuse module loaded?)", err)
	}
	if err := mount.Mount(fd, "lxcfs", mountpoint, flags, mount.Owner{}); err != nil {
		unix.Close(fd)
		return -1, "", err
	}
	return fd, mountpoint, nil
}

// serveClassic serves the connection until a signal or an unmount ends it.
func serveClassic(s settings, log logger, signals <-chan os.Signal, pid *pidfile, p parts) error {
	srv, err := newServer(log, new(descriptors))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o, err := s.origin()
	if err != nil {
		return err
	}
	if err := srv.add(ctx, onlyID, p, o); err != nil {
		return err
	}
	go srv.handle(signals, cancel, func() error {
		files := srv.files()
		files["pidfile"] = pid.fd
		return reexec(files, os.Args)
	})
	return srv.wait(ctx)
}

// handle acts on signals until one of them says stop.
func (s *server) handle(signals <-chan os.Signal, stop func(), reexec func() error) {
	for sig := range signals {
		switch sig {
		case unix.SIGUSR1:
			s.log.Info("executing anew", "binary", executable())
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
