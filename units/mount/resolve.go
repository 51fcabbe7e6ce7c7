package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxLinks bounds the symbolic links followed, like the kernel's MAXSYMLINKS.
const maxLinks = 40

// Resolve makes path absolute and follows its symbolic links, as realpath(3)
// does, but stops at the first mount of ours on the way and touches nothing on
// it. A path below such a mount is an error: nothing can be mounted there.
func (t Table) Resolve(path string) (string, error) {
	if path == "" {
		return "", errors.New("the mountpoint is empty")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	done, rest := "/", strings.Split(abs, "/")
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == "" || name == "." {
			continue
		}
		if e, ok := t.At(done); ok && e.Ours() {
			return "", fmt.Errorf("%s is inside the lxcfs mount %s", path, done)
		}
		next := filepath.Join(done, name)
		if e, ok := t.At(next); ok && e.Ours() {
			done = next
			continue
		}
		target, err := os.Readlink(next)
		switch {
		case errors.Is(err, syscall.EINVAL): // not a symbolic link
			done = next
			continue
		case err != nil:
			return "", err
		}
		if links++; links > maxLinks {
			return "", &os.PathError{Op: "readlink", Path: path, Err: syscall.ELOOP}
		}
		if filepath.IsAbs(target) {
			done = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, nil
}
