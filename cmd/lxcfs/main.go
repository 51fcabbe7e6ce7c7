// Command lxcfs serves /proc files that show a container's own numbers.
//
// It is the classic `lxcfs MOUNTPOINT` (mounts, serves and unmounts by itself),
// the keeper that holds a mount over the deaths of its worker (--keeper), that
// worker, and the unprivileged daemon that systemd starts (--service).
//
// Exit statuses: 0 after an orderly end (a signal, or the mount was unmounted by
// somebody else), 1 after a failure, 64 for a wrong command line, 69 when nobody
// handed a mount to a service.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"linuxcontainers.org/lxcfs/fs/mount"
)

// version is set by the build.
var version = "0.1.0-dev"

// Exit statuses.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 64 // EX_USAGE of sysexits.h; Go's own 2 is a panic
	exitNoMount = 69 // EX_UNAVAILABLE: no mount came to a service
	exitAgain   = 75 // EX_TEMPFAIL: start it again
)

func main() {
	if mount.IsProbe(os.Args) {
		os.Exit(mount.ProbeMain(os.Args))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its world given.
func run(args []string, stdout, stderr io.Writer) int {
	cmd := newCommand(func(s settings) error { return serve(s, newLogger(stderr, s.Debug)) })
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.Execute()
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "lxcfs: %v\nTry 'lxcfs --help' for more information.\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "lxcfs: %v\n", err)
	switch {
	case errors.Is(err, errNoConnection):
		return exitNoMount
	case errors.Is(err, errMissed):
		return exitAgain
	}
	return exitFailure
}

// serve runs the mode that the settings ask for.
func serve(s settings, log logger) error {
	if !s.Keeper {
		tune()
		if err := serveProfiles(s.Pprof, log); err != nil {
			return err
		}
	}
	switch {
	case s.Service:
		return runService(log)
	case s.Worker:
		return runWorker(s, log)
	case s.Keeper:
		return runKeeper(s, log)
	}
	return runClassic(s, log)
}
