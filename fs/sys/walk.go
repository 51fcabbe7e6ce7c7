package sys

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// walker reads below one directory of the host without following a symlink, but
// where it is told to, or crossing a mount.
type walker struct {
	root    string
	dev     uint64
	follows bool // the symlinks in root itself
}

// newWalker returns a walker below root, which is followed as it stands.
func newWalker(root string) (*walker, error) {
	var st unix.Stat_t
	if err := unix.Stat(root, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: root, Err: err}
	}
	return &walker{root: root, dev: st.Dev}, nil
}

// maxDepth is how deep a path may be; sysfs's deepest here is 5.
const maxDepth = 16

// open opens the path, its components checked one by one: directories on the way
// must be everybody's. flags apply to the last one, or to the root.
func (w *walker) open(path []string, flags int) (int, error) {
	if len(path) > maxDepth {
		return -1, &fs.PathError{Op: "open", Path: w.name(path), Err: unix.ENOENT}
	}
	first := unix.O_PATH | unix.O_DIRECTORY
	if len(path) == 0 {
		first = flags
	}
	fd, err := unix.Open(w.root, first|unix.O_CLOEXEC, 0)
	for i, name := range path {
		if err != nil {
			break
		}
		last, step := i == len(path)-1, unix.O_PATH|unix.O_DIRECTORY
		if last {
			step = flags
		}
		if i > 0 || !w.follows {
			step |= unix.O_NOFOLLOW
		}
		fd, err = w.step(fd, name, step, !last)
	}
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: w.name(path), Err: err}
	}
	return fd, nil
}

// step opens a name in the directory fd, which it closes.
func (w *walker) step(fd int, name string, flags int, onTheWay bool) (int, error) {
	defer unix.Close(fd)
	if !plain(name) {
		return -1, unix.ENOENT
	}
	next, err := unix.Openat(fd, name, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	err = unix.Fstat(next, &st)
	if err == nil && (st.Dev != w.dev || onTheWay && st.Mode&0o005 != 0o005) {
		err = unix.ENOENT
	}
	if err != nil {
		unix.Close(next)
		return -1, err
	}
	return next, nil
}

// plain says whether a name is one component and stays in its directory.
func plain(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

func (w *walker) name(path []string) string { return w.root + "/" + strings.Join(path, "/") }

// info is what is known of a node.
type info struct {
	ino    uint64
	mode   uint32 // of stat(2)
	size   int
	madeUp bool   // not the kernel's: see onlineSource
	link   string // what is shown as a symlink leads to, else ""
	// links is st_nlink: of a directory of sysfs, two more than there are
	// directories in it.
	links uint64
}

func (i info) kind() uint32 { return i.mode & unix.S_IFMT }

// readable says whether everybody may read a file, or enter and list a directory.
func (i info) readable() bool {
	want := uint32(0o004)
	if i.kind() == unix.S_IFDIR {
		want = 0o005
	}
	return i.mode&want == want
}

// stat returns what a path is; a symlink is itself.
func (w *walker) stat(path []string) (info, error) {
	fd, err := w.open(path, unix.O_PATH)
	if err != nil {
		return info{}, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return info{}, &fs.PathError{Op: "stat", Path: w.name(path), Err: err}
	}
	return info{ino: st.Ino, mode: st.Mode, size: int(min(max(st.Size, 0), maxFile)), links: uint64(st.Nlink)}, nil
}

// readlink returns the text of a symlink.
func (w *walker) readlink(path []string) (string, error) {
	fd, err := w.open(path, unix.O_PATH)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: w.name(path), Err: err}
	}
	return string(buf[:n]), nil
}

// list returns the names in a directory.
func (w *walker) list(path []string) ([]string, error) {
	fd, err := w.open(path, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), w.name(path))
	defer f.Close()
	return f.Readdirnames(-1)
}

// maxFile bounds a file's content, bytes. The largest here is a CPU map.
const maxFile = 1 << 20

// read appends a file's content to dst, and returns dst with an error.
func (w *walker) read(dst []byte, path []string) ([]byte, error) {
	fd, err := w.open(path, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return dst, err
	}
	defer unix.Close(fd)
	out := dst
	for {
		if cap(out)-len(out) < 4096 {
			out = append(out, make([]byte, max(4096, len(out)))...)[:len(out)]
		}
		n, err := unix.Read(fd, out[len(out):cap(out)])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return dst, &fs.PathError{Op: "read", Path: w.name(path), Err: err}
		case n == 0:
			return out, nil
		}
		if out = out[:len(out)+n]; len(out)-len(dst) > maxFile {
			return dst, fmt.Errorf("%s: more than %d bytes: %w", w.name(path), maxFile, unix.EFBIG)
		}
	}
}
