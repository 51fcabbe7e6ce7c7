package hostfile

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// OS is the running machine.
type OS struct{}

// minRead is the free space that a read(2) is given at least: procfs and
// cgroupfs produce a page at a time.
const minRead = 4096

// Append implements [FS].
func (OS) Append(dst []byte, name string) ([]byte, error) {
	fd, err := open(name)
	if err != nil {
		return dst, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer syscall.Close(fd)
	out, err := readAll(dst, fd)
	if err != nil {
		return dst, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return out, nil
}

// ReadDir implements [FS].
func (OS) ReadDir(name string) ([]string, error) {
	d, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// Stat implements [FS].
func (OS) Stat(name string) (Info, error) {
	var st syscall.Stat_t
	if err := ignoringEINTR(func() error { return syscall.Stat(name, &st) }); err != nil {
		return Info{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	mode := fs.FileMode(st.Mode & 0o777)
	if st.Mode&syscall.S_IFMT == syscall.S_IFDIR {
		mode |= fs.ModeDir
	}
	return Info{Dev: st.Dev, Inode: st.Ino, UID: st.Uid, GID: st.Gid, Mode: mode}, nil
}

func open(name string) (fd int, err error) {
	err = ignoringEINTR(func() error {
		fd, err = syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		return err
	})
	return fd, err
}

// readAll appends to dst until read(2) returns 0.
func readAll(dst []byte, fd int) ([]byte, error) {
	start := len(dst)
	for {
		if cap(dst)-len(dst) < minRead {
			dst = append(dst, make([]byte, max(minRead, len(dst)-start))...)[:len(dst)]
		}
		n, err := syscall.Read(fd, dst[len(dst):cap(dst)])
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return nil, err
		case n == 0:
			return dst, nil
		}
		if dst = dst[:len(dst)+n]; len(dst)-start > MaxSize {
			return nil, fmt.Errorf("%w", ErrTooLarge)
		}
	}
}

func ignoringEINTR(f func() error) error {
	for {
		if err := f(); err != syscall.EINTR {
			return err
		}
	}
}
