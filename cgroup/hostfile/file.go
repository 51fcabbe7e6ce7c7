package hostfile

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// AppendIn appends the content of a file in a directory to dst, as
// [FS.Append] does. Where fsys has a method AppendIn, as [Held] has, no name is
// put together.
func AppendIn(fsys FS, dst []byte, dir, file string) ([]byte, error) {
	if f, ok := fsys.(interface {
		AppendIn(dst []byte, dir, file string) ([]byte, error)
	}); ok {
		return f.AppendIn(dst, dir, file)
	}
	return fsys.Append(dst, dir+"/"+file)
}

// Forget has fsys forget what it holds of the directories that match, where it
// holds any: see [Held.Forget].
func Forget(fsys FS, match func(dir string) bool) {
	if f, ok := fsys.(interface{ Forget(func(string) bool) }); ok {
		f.Forget(match)
	}
}

// File is a file that stays the same whatever its name leads to later: a file
// of /proc/PID is that task's for good.
type File interface {
	// Append appends the content of now to dst, as [FS.Append] does. The error is
	// syscall.ESRCH when the task is gone, and also when the file was closed,
	// by Close or to make room for others.
	Append(dst []byte) ([]byte, error)
	// Close may be called at any time, by any goroutine, and more than once.
	Close()
}

// Hold opens a file of /proc/PID. It is not read. Where fsys has no method
// Hold, a task is taken for the same as long as its directory's inode is.
func Hold(fsys FS, name string) (File, error) {
	if f, ok := fsys.(interface {
		Hold(name string) (File, error)
	}); ok {
		return f.Hold(name)
	}
	info, err := fsys.Stat(path.Dir(name))
	if err != nil {
		return nil, err
	}
	return &looked{fsys: fsys, name: name, inode: info.Inode}, nil
}

// looked is a file looked up anew each time.
type looked struct {
	fsys  FS
	name  string
	inode uint64
}

// Append implements [File].
func (f *looked) Append(dst []byte) ([]byte, error) {
	info, err := f.fsys.Stat(path.Dir(f.name))
	if err == nil && info.Inode != f.inode {
		err = &fs.PathError{Op: "read", Path: f.name, Err: syscall.ESRCH}
	}
	if err != nil {
		return dst, err
	}
	return f.fsys.Append(dst, f.name)
}

// Close implements [File].
func (f *looked) Close() {}

// listsTasks: the content is a list with a record for each task.
func listsTasks(file string) bool {
	return file == "cgroup.procs" || file == "cgroup.threads" || file == "tasks"
}

// wholeAtOnce says of a file's name, or its path, that one read(2) with room
// enough returns all of it: the kernel makes it as one record (single_open of
// fs/seq_file.c, seq_show of kernfs). Of others a read may end with any record.
func wholeAtOnce(name string) bool {
	dir, file := path.Split(name)
	switch dir {
	case "": // an interface file
		return !listsTasks(file)
	case "/proc/":
		return file == "meminfo" || file == "stat" || file == "uptime" || file == "loadavg"
	case "/proc/pressure/", "/sys/devices/system/cpu/":
		return true
	}
	if !strings.HasPrefix(dir, "/proc/") {
		return false
	}
	switch file {
	case "status", "cgroup", "stat", "comm", "timens_offsets":
		return true
	}
	return false
}

// pread reads at an offset, read where the last read ended.
func pread(fd int, p []byte, at int64) (int, error) { return syscall.Pread(fd, p, at) }

func read(fd int, p []byte, _ int64) (int, error) { return syscall.Read(fd, p) }

// minRead is the free space that a read(2) is given at least: procfs and
// cgroupfs produce a page at a time.
const minRead = 4096

// readAll appends the whole file to dst. With once a read that did not fill its
// buffer was the last one; else the last one is that which returns 0.
func readAll(dst []byte, fd int, once bool, read func(int, []byte, int64) (int, error)) ([]byte, error) {
	start := len(dst)
	for {
		if cap(dst)-len(dst) < minRead {
			dst = append(dst, make([]byte, max(minRead, len(dst)-start))...)[:len(dst)]
		}
		room := dst[len(dst):cap(dst)]
		n, err := read(fd, room, int64(len(dst)-start))
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
		if once && n < len(room) {
			return dst, nil
		}
	}
}
