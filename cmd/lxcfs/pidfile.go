package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// pidfile is a locked file with this process's id; only the owner of the lock
// removes it.
type pidfile struct {
	path string
	fd   int
}

// createPidfile locks and writes the file, mode 0600. The lock is a record lock
// (fcntl(2)), as other lxcfs use: they exclude each other.
func createPidfile(path string) (*pidfile, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("pid file: %w", &os.PathError{Op: "open", Path: path, Err: err})
	}
	p := &pidfile{path: path, fd: fd}
	if err := p.write(); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("pid file %s: %w", path, err)
	}
	return p, nil
}

func (p *pidfile) write() error {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: unix.SEEK_SET}
	err := unix.FcntlFlock(uintptr(p.fd), unix.F_SETLK, &lock)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return errors.New("locked by another lxcfs that is running")
	}
	if err != nil {
		return err
	}
	if err := unix.Ftruncate(p.fd, 0); err != nil {
		return err
	}
	_, err = unix.Pwrite(p.fd, []byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// remove removes the file, while the lock is still held, and lets go of it.
func (p *pidfile) remove() error {
	if p == nil {
		return nil
	}
	err := os.Remove(p.path)
	unix.Close(p.fd)
	return err
}

// close removes the file and logs if that fails.
func (p *pidfile) close(log logger) {
	if err := p.remove(); err != nil {
		log.Warn("pid file not removed", "error", err)
	}
}
