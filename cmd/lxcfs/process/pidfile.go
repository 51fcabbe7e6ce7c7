package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
)

// Pidfile is a locked file with this process's id; only the owner of the lock
// removes it.
type Pidfile struct {
	Path string
	FD   int
}

// CreatePidfile locks and writes the file, mode 0600. The lock is a record lock
// (fcntl(2)), as other lxcfs use: they exclude each other.
func CreatePidfile(path string) (*Pidfile, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("pid file: %w", &os.PathError{Op: "open", Path: path, Err: err})
	}
	p := &Pidfile{Path: path, FD: fd}
	if err := p.write(); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("pid file %s: %w", path, err)
	}
	return p, nil
}

func (p *Pidfile) write() error {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: unix.SEEK_SET}
	err := unix.FcntlFlock(uintptr(p.FD), unix.F_SETLK, &lock)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return errors.New("locked by another lxcfs that is running")
	}
	if err != nil {
		return err
	}
	if err := unix.Ftruncate(p.FD, 0); err != nil {
		return err
	}
	_, err = unix.Pwrite(p.FD, []byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// Remove removes the file, while the lock is still held, and lets go of it.
func (p *Pidfile) Remove() error {
	if p == nil {
		return nil
	}
	err := os.Remove(p.Path)
	unix.Close(p.FD)
	return err
}

// Close removes the file and logs if that fails.
func (p *Pidfile) Close(log logs.Logger) {
	if err := p.Remove(); err != nil {
		log.Warn("pid file not removed", "error", err)
	}
}
