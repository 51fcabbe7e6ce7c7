package keeper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/fdstore"
	"linuxcontainers.org/lxcfs/units/mount"
)

// Config is what the command line says.
type Config struct {
	Log        logs.Logger
	Mountpoint string
	Flags      uintptr // of mount(2)
	Pidfile    string
}

// firstConnection is the name of the one connection, as the worker's store has it.
const firstConnection = "fuse-1"

// Run mounts, holds the descriptors, and keeps a worker serving them.
func Run(c Config) error {
	files, err := process.InheritedFiles()
	if err != nil {
		return err
	}
	signals := process.CatchSignals()
	pid, err := process.CreatePidfile(c.Pidfile)
	if err != nil {
		return err
	}
	defer pid.Close(c.Log)
	mountpoint := c.Mountpoint
	_, orphaned := files[firstConnection]
	if !orphaned {
		fd, path, err := mount.New(context.Background(), c.Mountpoint, c.Flags)
		if err != nil {
			return process.Lasting(err)
		}
		files[firstConnection], mountpoint = fd, path
	}
	err = keep(files, orphaned, signals, c.Log)
	if unmountErr := mount.Detach(mountpoint); unmountErr != nil && !errors.Is(unmountErr, unix.EINVAL) {
		err = errors.Join(err, unmountErr)
	}
	return err
}

// keep runs workers until a signal, the end of the mount, or a worker that says
// that none can serve it. Its last words are the reason.
func keep(files process.Files, serving bool, signals <-chan os.Signal, log logs.Logger) error {
	var said string
	var held []fdstore.File
	for name, fd := range files {
		held = append(held, fdstore.File{Name: name, FD: fd})
	}
	keeper, err := fdstore.NewKeeper(fdstore.Config{
		Command: server("--worker"),
		Max:     process.StoreLimit,
		Files:   held,
		Serving: serving,
		Final:   []int{process.ExitHopeless},
		Stop:    []os.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP},
		Report: func(e fdstore.Event) {
			if e.Kind == fdstore.Status {
				said = e.Text
			}
			logKeeper(log, e)
		},
	})
	if err != nil {
		return err
	}
	defer keeper.Close()
	err = keeper.Run(context.Background(), signals)
	if worker := new(fdstore.WorkerError); errors.As(err, &worker) && !worker.Status.Signaled() {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// server returns this command line with another role in the place of --keeper, or with
// none, run with the program that is installed now: an upgrade needs no more than the
// end of the old server.
func server(role string) func() *exec.Cmd {
	return func() *exec.Cmd {
		cmd := exec.Command(process.Executable(), process.RoleArgs(role)...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		return cmd
	}
}

// logKeeper logs what is worth an operator's attention.
func logKeeper(log logs.Logger, e fdstore.Event) {
	switch e.Kind {
	case fdstore.Kept:
		log.Error("the keeper was not executed anew, and goes on", "error", e.Err)
	case fdstore.Died:
		logEnd(log, e)
	case fdstore.Delayed, fdstore.Starved, fdstore.Overdue, fdstore.Full, fdstore.HungUp, fdstore.Failed, fdstore.Refused, fdstore.Untold:
		log.Warn("worker "+e.Kind.String(), "pid", e.PID, "name", e.Name, "delay", e.Delay, "text", e.Text, "error", e.Err)
	case fdstore.Ready, fdstore.Started:
		log.Info("worker "+e.Kind.String(), "pid", e.PID)
	default:
		log.Debug("worker "+e.Kind.String(), "pid", e.PID, "name", e.Name, "text", e.Text)
	}
}

// logEnd logs how a worker ended.
func logEnd(log logs.Logger, e fdstore.Event) {
	switch {
	case orderly(e.Wait):
		log.Info("worker ended", "pid", e.PID)
	case e.Wait.Signaled():
		log.Warn("worker died", "pid", e.PID, "signal", e.Wait.Signal())
	default:
		log.Warn("worker died", "pid", e.PID, "status", e.Wait.ExitStatus())
	}
}

// orderly says whether a worker ended as it was told to. It handles SIGTERM, unless
// it gets it at its very start.
func orderly(w syscall.WaitStatus) bool {
	return w.Exited() && w.ExitStatus() == process.ExitOK || w.Signaled() && w.Signal() == unix.SIGTERM
}
