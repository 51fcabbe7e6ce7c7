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
	"linuxcontainers.org/lxcfs/fs/view"
)

// ErrNotServed is the error for a path with nothing that can be shown.
var ErrNotServed = errors.New("is not served")

// Files returns the files that are served.
func (r *Renderer) Files() []*File { return append([]*File(nil), r.files...) }

// file returns the served file of a path, as "/proc/meminfo".
func (r *Renderer) file(path string) (*File, error) {
	for _, f := range r.files {
		if f.Path == path {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%s %w: %w", path, ErrNotServed, fs.ErrNotExist)
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

// Figures calls take with what a file of the table is made of for a container: the
// host's text, and the view, nil where the file is the host's. Both are take's until
// it returns.
func (r *Renderer) Figures(path string, k *container.Container, take func(host []byte, v *view.View) error) error {
	f, err := r.file(path)
	if err != nil {
		return err
	}
	s := r.pool.Get().(*scratch)
	defer r.pool.Put(s)
	if s.host, err = r.FS.Append(s.host[:0], path); err != nil {
		return fmt.Errorf("%w: %w", errHost, err)
	}
	c := vfs.Caller{Resolved: true, Decision: container.Decision{Container: k}, Quiet: true}
	contained, err := r.View(path, c, f.Needs, &s.view)
	switch {
	case err != nil:
		return err
	case !contained:
		return take(s.host, nil)
	}
	return take(s.host, &s.view)
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
		return nil, fmt.Errorf("%s %w: %w", path, ErrNotServed, err)
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
