// Command lxcfs serves /proc files that show a container's own numbers.
//
// It is the classic `lxcfs MOUNTPOINT` (mounts, serves and unmounts by itself),
// the keeper that holds a mount over the deaths of its worker (--keeper), that
// worker, the unprivileged daemon of a service manager (--service), and its keeper
// (both), which is the main process of lxcfs.service.
//
// Exit statuses: 0 after an orderly end (a signal, or the mount was unmounted by
// somebody else), 1 after a failure, 64 for a wrong command line, 69 when it can't
// work here and another start would not help, 75 when one will.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"linuxcontainers.org/lxcfs/cmd/visible"
	"linuxcontainers.org/lxcfs/units/mount"
)

// version is set by the build.
var version = "0.1.0-dev"

// Exit statuses.
const (
	exitOK       = 0
	exitFailure  = 1
	exitUsage    = 64 // EX_USAGE of sysexits.h; Go's own 2 is a panic
	exitHopeless = 69 // EX_UNAVAILABLE: don't start it again; the unit's RestartPreventExitStatus=
	exitAgain    = 75 // EX_TEMPFAIL: start it again
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
	var server serverEnd
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &server): // it has said why
		return server.status
	}
	fmt.Fprintf(stderr, "lxcfs: %s\n", visible.Text(err.Error()))
	status := exitStatus(err)
	if status == exitUsage {
		fmt.Fprintln(stderr, "Try 'lxcfs --help' for more information.")
	}
	return status
}

// serve runs the mode that the settings ask for.
func serve(s settings, log logger) error {
	if s.Check {
		return checkConfig("/", log)
	}
	if !s.Keeper {
		tune()
		if err := serveProfiles(s.Pprof, log); err != nil {
			return err
		}
	}
	switch {
	case s.Service && s.Keeper:
		return keepService(log)
	case s.Service:
		return runService(log)
	case s.Worker:
		return runWorker(s, log)
	case s.Keeper:
		return runKeeper(s, log)
	}
	return runClassic(s, log)
}
