package process

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/units/fdstore"
)

// Exit statuses.
const (
	ExitOK       = 0
	ExitFailure  = 1
	ExitUsage    = 64 // EX_USAGE of sysexits.h; Go's own 2 is a panic
	ExitHopeless = 69 // EX_UNAVAILABLE: don't start it again; the unit's RestartPreventExitStatus=
	ExitAgain    = 75 // EX_TEMPFAIL: start it again
)

// StatusError ends the process with a status. Err is nil where the reason was told
// already: of a keeper, by its server.
type StatusError struct {
	Status int
	Err    error
}

// Error implements error.
func (e StatusError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("the server ended with status %d", e.Status)
	}
	return e.Err.Error()
}

// Unwrap returns what is wrong.
func (e StatusError) Unwrap() error { return e.Err }

// Usage is a wrong command line.
func Usage(format string, args ...any) error {
	return StatusError{ExitUsage, fmt.Errorf(format, args...)}
}

// Hopeless is an error that is there again after a restart, until somebody changes
// something: who supervises this process is told by its exit status not to start
// it again. Readers get an error then, where they would wait for ever.
func Hopeless(err error) error { return StatusError{ExitHopeless, err} }

// Lasting makes err hopeless, unless it is of a kind that passes: what the machine
// is short of now it may have later.
func Lasting(err error) error {
	if err == nil || Passes(err) {
		return err
	}
	return Hopeless(err)
}

// Passes says whether an error is a shortage.
func Passes(err error) bool {
	for _, short := range []error{unix.ENOMEM, unix.EAGAIN, unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.EINTR} {
		if errors.Is(err, short) {
			return true
		}
	}
	return false
}

// ExitStatus is what a failed run leaves.
func ExitStatus(err error) int {
	var status StatusError
	var worker *fdstore.WorkerError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &status):
		return status.Status
	case errors.As(err, &worker) && worker.Status.ExitStatus() == ExitHopeless:
		return ExitHopeless
	}
	return ExitFailure
}
