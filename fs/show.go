package fs

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/fs/subtree"
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

// Show returns what the thread tid would read in a served file now. It opens no
// file of ours and is counted nowhere. The error is fs.ErrNotExist for a file
// that is not served; what makes a reader's file the host's does so here too.
func (r *Renderer) Show(path string, tid uint32) ([]byte, error) {
	f, err := r.file(path)
	if err != nil {
		return nil, err
	}
	return r.show(f, func(s *scratch) ([]byte, error) {
		out, _, err := r.virtual(nil, s, f, tid)
		return out, err
	})
}

// ShowContainer is Show for a Container of the Resolver.
func (r *Renderer) ShowContainer(path string, c *container.Container) ([]byte, error) {
	f, err := r.file(path)
	if err != nil {
		return nil, err
	}
	return r.show(f, func(s *scratch) ([]byte, error) {
		if r.hostOnly() {
			return append([]byte(nil), s.host...), nil
		}
		return r.contained(nil, s, f, c, 0)
	})
}

func (r *Renderer) show(f *File, render func(*scratch) ([]byte, error)) ([]byte, error) {
	s := r.pool.Get().(*scratch)
	defer r.pool.Put(s)
	host, err := r.FS.Append(s.host[:0], f.Path)
	if err != nil {
		return nil, fmt.Errorf("the host's file: %w", err)
	}
	s.host = host
	out, err := render(s)
	if err != nil {
		return append([]byte(nil), host...), nil
	}
	return out, nil
}

// maxShownDepth bounds the components of a path below a subtree's top.
const maxShownDepth = 16

// Show is [Renderer.Show] for the files of subtrees, too, but for one that can be
// changed: what that shows depends on more than the thread.
func (t *Tree) Show(path string, tid uint32) ([]byte, error) {
	for _, s := range t.subtrees {
		below, ok := strings.CutPrefix(path, s.Path+"/")
		if _, mutable := s.Tree.(subtree.Mutable); !ok || mutable {
			continue
		}
		return showBelow(s.Tree, path, strings.Split(below, "/"), subtree.Caller{TID: tid})
	}
	return t.renderer.Show(path, tid)
}

// showBelow looks a path up in a subtree, following no symlink, and renders the
// file.
func showBelow(tree subtree.Tree, path string, names []string, c subtree.Caller) ([]byte, error) {
	key, attr := subtree.Top, subtree.Attr{}
	for i, name := range names {
		var err error
		if name == "" || name == "." || name == ".." || i == maxShownDepth {
			err = fs.ErrNotExist
		} else {
			key, attr, err = tree.Lookup(c, key, name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s is not served: %w", path, err)
		}
	}
	if attr.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return nil, fmt.Errorf("%s is not served: no file: %w", path, fs.ErrNotExist)
	}
	out, err := tree.Append(nil, c, key)
	var f *subtree.Fallback
	if errors.As(err, &f) {
		return out, nil
	}
	return out, err
}
