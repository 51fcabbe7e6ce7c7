package hostfile

import (
	"io/fs"
	"os"
	"syscall"
)

// OS is the running machine.
type OS struct{}

// Append implements [FS].
func (OS) Append(dst []byte, name string) ([]byte, error) {
	fd, err := open(name)
	if err != nil {
		return dst, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer syscall.Close(fd)
	out, err := readAll(dst, fd, wholeAtOnce(name), read)
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

func ignoringEINTR(f func() error) error {
	for {
		if err := f(); err != syscall.EINTR {
			return err
		}
	}
}
