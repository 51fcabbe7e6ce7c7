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

	"linuxcontainers.org/lxcfs/cmd/escape"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/daemon"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/keeper"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/mount"
)

// version is set by the build.
var version = "0.1.0-dev"

func main() {
	if mount.IsProbe(os.Args) {
		os.Exit(mount.ProbeMain(os.Args))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its world given.
func run(args []string, stdout, stderr io.Writer) int {
	cmd := newCommand(func(s settings) error { return serve(s, logs.New(stderr, s.Debug)) })
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.Execute()
	var ended process.StatusError
	if err == nil || errors.As(err, &ended) && ended.Err == nil { // it has said why
		return process.ExitStatus(err)
	}
	fmt.Fprintf(stderr, "lxcfs: %s\n", escape.Text(err.Error()))
	status := process.ExitStatus(err)
	if status == process.ExitUsage {
		fmt.Fprintln(stderr, "Try 'lxcfs --help' for more information.")
	}
	return status
}

// serve runs the mode that the settings ask for.
func serve(s settings, log logs.Logger) error {
	if s.Check {
		return daemon.CheckConfig("/", log)
	}
	if !s.Keeper {
		process.Tune()
		stop, err := process.ServeProfiles(s.Pprof, log)
		if err != nil {
			return err
		}
		defer stop()
	}
	c := daemon.Config{
		Log: log, Version: version,
		Mountpoint: s.Mountpoint, Flags: s.flags, Options: s.view, Pidfile: s.Pidfile,
	}
	switch {
	case s.Service && s.Keeper:
		return keeper.Service(log)
	case s.Service:
		return daemon.Service(c)
	case s.Worker:
		return daemon.Worker(c)
	case s.Keeper:
		return keeper.Run(keeper.Config{Log: log, Mountpoint: s.Mountpoint, Flags: s.flags, Pidfile: s.Pidfile})
	}
	return daemon.Classic(c)
}
