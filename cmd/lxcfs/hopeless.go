package main

import (
	"errors"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/units/fdstore"
)

// hopeless is an error that is there again after a restart, until somebody changes
// something: who supervises this process is told by its exit status not to start
// it again. Readers get an error then, where they would wait for ever.
type hopeless struct{ error }

// Unwrap returns what is wrong.
func (e hopeless) Unwrap() error { return e.error }

// lasting makes err hopeless, unless it is of a kind that passes: what the machine
// is short of now it may have later.
func lasting(err error) error {
	if err == nil || passes(err) {
		return err
	}
	return hopeless{err}
}

// passes says whether an error is a shortage.
func passes(err error) bool {
	for _, short := range []error{unix.ENOMEM, unix.EAGAIN, unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.EINTR} {
		if errors.Is(err, short) {
			return true
		}
	}
	return false
}

// exitStatus is what a failed run leaves.
func exitStatus(err error) int {
	var usage usageError
	var last hopeless
	var worker *fdstore.WorkerError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &last):
		return exitHopeless
	case errors.As(err, &worker) && worker.Status.ExitStatus() == exitHopeless:
		return exitHopeless
	case errors.Is(err, errMissed):
		return exitAgain
	}
	return exitFailure
}
