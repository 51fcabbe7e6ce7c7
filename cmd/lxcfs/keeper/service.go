package keeper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/fdstore"
	"linuxcontainers.org/lxcfs/units/mount"
)

// A service manager that starts a service anew goes by its dependencies: systemd up
// to 253 restarts every unit that requires it, and any systemd waits for each unit
// after it that is just being stopped (job_compare() of src/core/job.c). Readers
// wait as long. So the main process is one that does not die: it starts the server
// anew by itself, and the service manager hears nothing of it.

// workerVariable carries the state of the keeper's server over an execve(2) of the
// keeper: its pid, and whether it was ready: "4711 true". notifySocket is the name of
// the socket that it talks to.
const (
	workerVariable = "LXCFS_KEEPER_WORKER"
	notifySocket   = "notify"
)

// Service is the main process of a service: it holds what the service manager
// passes on and keeps a server running. It reads no request and no file of a
// container.
func Service(log logs.Logger) error {
	watchdog, err := fdstore.Watchdog()
	if err != nil {
		log.Error("no watchdog", "error", err)
	}
	manager, err := fdstore.New(process.StoreLimit)
	if err != nil {
		return process.Usage("--service is for a unit of Type=notify: %w", err)
	}
	signals := process.CatchSignals()
	list, err := process.Inherited()
	if err != nil {
		log.Error("descriptors that were passed on", "error", err)
	}
	p := sortPassed(list)
	keeper, err := fdstore.NewKeeper(fdstore.Config{
		Command:  server(""),
		Max:      manager.Max(),
		Watchdog: watchdog,
		Files:    p.stored,
		Serving:  len(p.stored) > 0,
		Sockets:  p.sockets,
		Upstream: manager,
		Final:    []int{process.ExitUsage, process.ExitHopeless, process.ExitAgain},
		Reexec:   func(h fdstore.Handover) error { return p.reexec(h, log) },
		Handover: p.handover,
		Report:   func(e fdstore.Event) { logServer(log, e) },
	})
	if err != nil {
		return err
	}
	defer keeper.Close()
	return endOf(keeper.Run(context.Background(), signals))
}

// endOf makes the end of the server that of its keeper.
func endOf(err error) error {
	var worker *fdstore.WorkerError
	switch {
	case errors.Is(err, fdstore.ErrNoWorker): // stopped, and nothing to stop
		return nil
	case errors.As(err, &worker) && worker.Status.Exited():
		return process.StatusError{Status: worker.Status.ExitStatus()}
	case errors.As(err, &worker) && orderly(worker.Status): // stopped at its very start
		return nil
	}
	return err
}

// passed are the descriptors of a keeper.
type passed struct {
	sockets  []fdstore.File // of the socket unit
	stored   []fdstore.File
	handover *fdstore.Handover // nil: nothing was executed in the place of a keeper
}

// sortPassed tells what the service manager passed on from what a keeper left.
func sortPassed(files []fdstore.File) passed {
	var p passed
	var h fdstore.Handover
	for _, f := range files {
		switch f.Name {
		case mount.SocketName:
			p.sockets = append(p.sockets, f)
		case notifySocket:
			h.Socket = f.FD
		default:
			p.stored = append(p.stored, f)
		}
	}
	if h.Socket != 0 {
		h.Worker, h.Ready = parseWorker(os.Getenv(workerVariable))
		p.handover = &h
	}
	_ = os.Unsetenv(workerVariable) // not the server's; the name is a valid one
	return p
}

// parseWorker parses workerVariable. What is wrong is no worker: then one is started.
func parseWorker(text string) (pid int, ready bool) {
	number, rest, _ := strings.Cut(text, " ")
	pid, err := strconv.Atoi(number)
	if err != nil || pid <= 0 {
		return 0, false
	}
	return pid, rest == "true"
}

// reexec replaces the keeper by the program that is installed now.
func (p passed) reexec(h fdstore.Handover, log logs.Logger) error {
	files := process.Files{notifySocket: h.Socket}
	for _, f := range append(h.Stored, p.sockets...) {
		files[f.Name] = f.FD
	}
	if err := os.Setenv(workerVariable, fmt.Sprintf("%d %t", h.Worker, h.Ready)); err != nil {
		return err
	}
	log.Info("executing anew", "binary", process.Executable())
	return process.Reexec(files, os.Args)
}

// logServer logs what the server does not say itself, nor the service manager.
func logServer(log logs.Logger, e fdstore.Event) {
	switch {
	case e.Kind == fdstore.Started, e.Kind == fdstore.Ready, e.Kind == fdstore.Died && orderly(e.Wait):
		log.Debug("worker "+e.Kind.String(), "pid", e.PID)
	default:
		logKeeper(log, e)
	}
}
