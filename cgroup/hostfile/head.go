package hostfile

import (
	"io/fs"
	"syscall"
)

// AppendHead appends the first bytes of a file to dst, at most limit, as
// [FS.Append] does with all of them. The kernel makes the text of a list (mountinfo,
// cgroup.procs of v2) as it is read, so that the rest costs nothing. Where fsys has
// no method AppendHead, the rest is read and cut off.
func AppendHead(fsys FS, dst []byte, name string, limit int) ([]byte, error) {
	if f, ok := fsys.(interface {
		AppendHead(dst []byte, name string, limit int) ([]byte, error)
	}); ok {
		return f.AppendHead(dst, name, limit)
	}
	out, err := fsys.Append(dst, name)
	return out[:min(len(out), len(dst)+max(limit, 0))], err
}

// AppendHead is [AppendHead] of the running machine.
func (OS) AppendHead(dst []byte, name string, limit int) ([]byte, error) {
	fd, err := open(name)
	if err != nil {
		return dst, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer syscall.Close(fd)
	left := max(limit, 0)
	upTo := func(fd int, p []byte, at int64) (int, error) {
		if left == 0 {
			return 0, nil // the end, for readAll
		}
		n, err := read(fd, p[:min(len(p), left)], at)
		left -= max(n, 0)
		return n, err
	}
	out, err := readAll(dst, fd, wholeAtOnce(name), upTo)
	if err != nil {
		return dst, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return out, nil
}
