package process

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"linuxcontainers.org/lxcfs/units/fdstore"
)

// What supervises a process goes by these numbers.
func TestExitStatus(t *testing.T) {
	wrapped := func(err error) error { return errors.Join(errors.New("first"), fmt.Errorf("then: %w", err)) }
	worker := func(status int) error {
		return &fdstore.WorkerError{PID: 7, Status: syscall.WaitStatus(status << 8)}
	}
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{Usage("no mountpoint given"), 64},
		{Hopeless(errors.New("x")), 69},
		{Lasting(errors.New("x")), 69},
		{Lasting(nil), 0},
		{Lasting(fmt.Errorf("mount: %w", syscall.ENOMEM)), 1},
		{StatusError{ExitAgain, errors.New("x")}, 75},
		{StatusError{Status: 3}, 3},
		{wrapped(Hopeless(errors.New("x"))), 69},
		{wrapped(worker(69)), 69},
		{worker(1), 1},
	} {
		if got := ExitStatus(tt.err); got != tt.want {
			t.Errorf("%v: got %d, want %d", tt.err, got, tt.want)
		}
	}
}
