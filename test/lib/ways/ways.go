package ways

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Way is one way to read a file.
type Way struct {
	// Name says which calls, and how many bytes at a time.
	Name string
	// Flags are those of open(2), besides O_RDONLY.
	Flags int
	// read returns all of an open file.
	read func(f *os.File) ([]byte, error)
}

// ErrEndless is the error of a file that does not end: no file that is meant to
// be read here is longer than limit.
var ErrEndless = errors.New("the file does not end")

const limit = 4 << 20

// Spliced says whether the way goes through a pipe, as sendfile(2) does inside.
func (w Way) Spliced() bool {
	return strings.HasPrefix(w.Name, "sendfile") || strings.HasPrefix(w.Name, "splice")
}

// Read opens the file and reads all of it. Errors hold a [unix.Errno] or
// ErrEndless.
func (w Way) Read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|w.Flags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := w.read(f)
	if err != nil {
		return text, fmt.Errorf("%s of %s: %w", w.Name, path, err)
	}
	return text, nil
}

// All returns every way.
func All() []Way {
	ways := []Way{
		{"sendfile to a file", 0, sendfile},
		{"splice to a pipe", 0, splice},
		{"splice to a pipe, O_DIRECT", unix.O_DIRECT, splice},
		{"copy_file_range", 0, copyFileRange},
	}
	for _, size := range []int{1, 7, 512, 4096, 1 << 16, 1 << 20} {
		piece := func(name string, flags int, at func(*os.File) (reader, error)) {
			ways = append(ways, Way{fmt.Sprintf("%s of %d bytes", name, size), flags, pieces(size, at)})
		}
		piece("read", 0, reading)
		piece("pread", 0, preading)
		piece("io_uring", 0, ring)
		piece("AIO", 0, aio)
		if size%512 == 0 {
			piece("O_DIRECT read", unix.O_DIRECT, reading)
			piece("O_DIRECT io_uring", unix.O_DIRECT, ring)
			piece("O_DIRECT AIO", unix.O_DIRECT, aio)
		}
	}
	return ways
}

// reader reads bytes at an offset into buf, as pread(2) does. With nil it lets go
// of what it needs for that.
type reader func(buf []byte, off int64) (int, error)

// pieces reads until nothing comes.
func pieces(size int, start func(*os.File) (reader, error)) func(*os.File) ([]byte, error) {
	return func(f *os.File) ([]byte, error) {
		read, err := start(f)
		if err != nil {
			return nil, err
		}
		defer read(nil, 0)
		buf, err := aligned(size)
		if err != nil {
			return nil, err
		}
		defer unix.Munmap(buf)
		var text []byte
		for len(text) <= limit {
			n, err := read(buf[:size], int64(len(text)))
			if err != nil || n == 0 {
				return text, err
			}
			if n > size {
				return text, fmt.Errorf("%d bytes in a buffer of %d: %w", n, size, unix.EOVERFLOW)
			}
			text = append(text, buf[:n]...)
		}
		return text, ErrEndless
	}
}

// aligned returns a buffer for O_DIRECT.
func aligned(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, max(size, os.Getpagesize()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

// reading reads at the file's position.
func reading(f *os.File) (reader, error) {
	return func(buf []byte, _ int64) (int, error) {
		if buf == nil {
			return 0, nil
		}
		n, err := unix.Read(int(f.Fd()), buf)
		return max(n, 0), err
	}, nil
}

func preading(f *os.File) (reader, error) {
	return func(buf []byte, off int64) (int, error) {
		if buf == nil {
			return 0, nil
		}
		n, err := unix.Pread(int(f.Fd()), buf, off)
		return max(n, 0), err
	}, nil
}

// through lets move copy pieces of the file to an empty one until nothing comes,
// and returns what is there.
func through(f *os.File, move func(to int) (int, error)) ([]byte, error) {
	to, err := os.CreateTemp("", "ways")
	if err != nil {
		return nil, err
	}
	defer os.Remove(to.Name())
	defer to.Close()
	for total := 0; total <= limit; {
		n, err := move(int(to.Fd()))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return os.ReadFile(to.Name())
		}
		total += n
	}
	return nil, ErrEndless
}

func sendfile(f *os.File) ([]byte, error) {
	return through(f, func(to int) (int, error) { return unix.Sendfile(to, int(f.Fd()), nil, 1<<20) })
}

func copyFileRange(f *os.File) ([]byte, error) {
	return through(f, func(to int) (int, error) { return unix.CopyFileRange(int(f.Fd()), nil, to, nil, 1<<20, 0) })
}

func splice(f *os.File) ([]byte, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	defer w.Close()
	var text []byte
	for len(text) <= limit {
		n, err := unix.Splice(int(f.Fd()), nil, int(w.Fd()), nil, 4096, 0)
		if err != nil || n == 0 {
			return text, err
		}
		buf := make([]byte, n)
		if _, err := io.ReadFull(r, buf); err != nil {
			return text, err
		}
		text = append(text, buf...)
	}
	return text, ErrEndless
}
