package fs

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/fs/served"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// Files returns the files that are served.
func (r *Renderer) Files() []*File { return append([]*File(nil), r.files...) }

// file returns the served file of a path, as "/proc/meminfo".
func (r *Renderer) file(path string) (*File, error) {
	for _, f := range r.files {
		if f.Path == path {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%s is not served: %w", path, fs.ErrNotExist)
}

// Show returns what a caller would read in a file of the table now. It opens no
// file of ours and is counted nowhere. The error is fs.ErrNotExist for a file that
// is not served; what makes a reader's file the host's does so here too.
func (r *Renderer) Show(path string, c vfs.Caller) ([]byte, error) {
	f, err := r.file(path)
	if err != nil {
		return nil, err
	}
	c.Quiet = true
	return shown(r.content(nil, f, c))
}

// ShowContainer is Show for a Container of the Resolver.
func (r *Renderer) ShowContainer(path string, c *container.Container) ([]byte, error) {
	return r.Show(path, vfs.Caller{Resolved: true, Decision: container.Decision{Container: c}})
}

// shown makes of what was rendered what is shown.
func shown(out []byte, err error) ([]byte, error) {
	var f *vfs.Fallback
	if err == nil || errors.As(err, &f) {
		return out, nil
	}
	return nil, err
}

// maxShownDepth bounds the components of a path that is shown or listed.
const maxShownDepth = 20

// Show is [Renderer.Show] for all files that the thread tid finds, but for those of
// a tree that can be changed: what that shows depends on more than the thread. It
// follows no symlink.
func (t *Tree) Show(path string, tid uint32) ([]byte, error) {
	c := vfs.Caller{TID: tid, Quiet: true}
	p, attr, err := t.find(c, path)
	if err == nil && (attr.Mode&syscall.S_IFMT != syscall.S_IFREG || p.mutable != nil) {
		err = fmt.Errorf("no file that can be shown: %w", fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not served: %w", path, err)
	}
	return shown(p.Tree.Append(nil, c, p.key))
}

// find looks a path up, name by name.
func (t *Tree) find(c vfs.Caller, path string) (p place, attr vfs.Attr, err error) {
	p = t.at(served.Root)
	below, ok := strings.CutPrefix(path, "/")
	names := strings.Split(below, "/")
	if !ok || len(names) > maxShownDepth {
		return p, attr, fs.ErrNotExist
	}
	for _, name := range names {
		if name == "" || name == "." || name == ".." {
			return p, attr, fs.ErrNotExist
		}
		if p, attr, err = t.lookup(c, p, name); err != nil {
			return p, attr, err
		}
	}
	return p, attr, nil
}
