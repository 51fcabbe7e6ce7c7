package sys

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// looker asks a Viewer for one request.
type looker struct {
	viewer vfs.Viewer
	caller vfs.Caller
	err    error // what the Viewer said
}

func (l *looker) gather(path string, needs view.Needs, v *view.View) bool {
	contained, err := l.viewer(path, l.caller, needs, v)
	if err != nil {
		l.err = err
	}
	return contained
}

// failed implements [visibility].
func (l *looker) failed() error { return l.err }

// systemDir is where the trees are on every machine, and in the served tree.
const systemDir = "/sys/devices/system"

// The trees, by their names in systemDir.
const (
	cpuTop    = "cpu"
	nodeTop   = "node"
	memoryTop = "memory"
)

// systemTrees returns the trees that are below root (systemDir but in tests).
func systemTrees(root string, viewer vfs.Viewer) []vfs.Mount {
	w, err := newWalker(root)
	if err != nil {
		return nil
	}
	s := &system{walker: w, viewer: viewer}
	var mounts []vfs.Mount
	for _, top := range []string{cpuTop, nodeTop, memoryTop} {
		if isDirectory(w, []string{top}) {
			t := &tree{source: onlineSource{w}, keys: newKeys(top), visibility: s.visibility}
			mounts = append(mounts, vfs.Mount{Path: systemDir + "/" + top, KeyBits: keyBits, Tree: t})
		}
	}
	return mounts
}

// isDirectory: everybody may enter and list it.
func isDirectory(s source, path []string) bool {
	i, err := s.stat(path)
	return err == nil && i.kind() == unix.S_IFDIR && i.readable()
}

// source is what a tree is made from: paths of the host. Each error says which.
type source interface {
	stat(path []string) (info, error)
	readlink(path []string) (string, error)
	list(path []string) ([]string, error)
	// read appends a file's content to dst, and returns dst with an error.
	read(dst []byte, path []string) ([]byte, error)
	name(path []string) string
}

// visibility is what one request of a caller sees of a tree, and how.
type visibility interface {
	// sees says whether a node that is there is one for the caller, and as what.
	sees(path []string, i info) (info, bool)
	// render appends the caller's version of a file to dst. text, the host's,
	// may lie behind dst; with an error it is as it was.
	render(dst, text []byte, path []string) ([]byte, error)
	// failed returns an error when what the others said is nothing to go by.
	failed() error
}

// tree is one of the trees. Safe for concurrent use.
type tree struct {
	source     source
	keys       *keys
	visibility func(c vfs.Caller) visibility
}

var (
	_ vfs.Tree   = (*tree)(nil)
	_ vfs.Linker = (*tree)(nil)
)

// stat returns what a path is, if the caller sees it.
func (t *tree) stat(e visibility, path []string) (info, error) {
	i, err := t.source.stat(path)
	if err != nil {
		return i, err
	}
	i, ok := e.sees(path, i)
	if err := e.failed(); err != nil {
		return i, err
	}
	if !ok {
		err = fmt.Errorf("%s: %w", t.source.name(path), unix.ENOENT)
	}
	return i, err
}

// find returns the path of a key, if the caller sees it, and what it is.
func (t *tree) find(e visibility, key vfs.Key) ([]string, info, error) {
	p, err := t.keys.path(t.source, key&^linkKey)
	if err != nil {
		return nil, info{}, err
	}
	i, err := t.stat(e, p)
	if err == nil && key != vfs.Top && i.key() != key {
		if keyOf(i.ino) != key&^linkKey {
			t.keys.forget(key &^ linkKey)
		}
		err = fmt.Errorf("%s: %w", t.source.name(p), unix.ESTALE)
	}
	return p, i, err
}

// Lookup implements [vfs.Tree].
func (t *tree) Lookup(c vfs.Caller, dir vfs.Key, name string) (vfs.Key, vfs.Attr, error) {
	e := t.visibility(c)
	p, i, err := t.find(e, dir)
	if err == nil && i.kind() != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	if err != nil {
		return 0, vfs.Attr{}, err
	}
	p = append(p, name)
	if i, err = t.stat(e, p); err != nil {
		return 0, vfs.Attr{}, err
	}
	t.keys.learn(keyOf(i.ino), dir, name)
	t.keys.prune(t.source)
	return i.key(), t.attr(p, i), nil
}

// Attr implements [vfs.Tree].
func (t *tree) Attr(c vfs.Caller, node vfs.Key) (vfs.Attr, error) {
	p, i, err := t.find(t.visibility(c), node)
	if err != nil {
		return vfs.Attr{}, err
	}
	return t.attr(p, i), nil
}

// attr takes all rights to write away.
func (t *tree) attr(p []string, i info) vfs.Attr {
	a := vfs.Attr{Ino: i.ino, Mode: i.kind(), Size: i.size}
	switch i.kind() {
	case unix.S_IFDIR:
		a.Mode |= 0o555
	case unix.S_IFLNK:
		a.Mode |= 0o777
		if target, err := t.target(p, i); err == nil {
			a.Size = len(target)
		}
	default:
		a.Mode |= 0o444
	}
	return a
}

// List implements [vfs.Tree].
func (t *tree) List(c vfs.Caller, dir vfs.Key) ([]vfs.Entry, error) {
	e := t.visibility(c)
	p, _, err := t.find(e, dir)
	if err != nil {
		return nil, err
	}
	names, err := t.source.list(p)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var entries []vfs.Entry
	for _, name := range names {
		if i, err := t.stat(e, append(p[:len(p):len(p)], name)); err == nil {
			entries = append(entries, vfs.Entry{Name: name, Ino: i.ino, Mode: i.mode})
		}
	}
	return entries, e.failed()
}

// Open implements [vfs.Tree]: files can be read only. A superuser may open
// them for writing, as on sysfs, and fails when he writes.
func (t *tree) Open(c vfs.Caller, file vfs.Key, _ uint32) error {
	_, i, err := t.find(t.visibility(c), file)
	if err == nil && i.kind() != unix.S_IFREG {
		err = unix.EISDIR
	}
	return err
}

// Append implements [vfs.Tree].
func (t *tree) Append(dst []byte, c vfs.Caller, file vfs.Key) ([]byte, error) {
	e := t.visibility(c)
	p, _, err := t.find(e, file)
	if err != nil {
		return dst, err
	}
	out, err := t.source.read(dst, p)
	if err != nil {
		return dst, err
	}
	rendered, err := e.render(dst, out[len(dst):], p)
	if err := e.failed(); err != nil {
		return dst, err
	}
	if err != nil {
		name := t.source.name(p)
		return out, &vfs.Fallback{Path: name, Err: fmt.Errorf("render %s: %w", name, err)}
	}
	return rendered, nil
}

// Target implements [vfs.Linker].
func (t *tree) Target(c vfs.Caller, link vfs.Key) (string, error) {
	p, i, err := t.find(t.visibility(c), link)
	if err != nil {
		return "", err
	}
	if i.kind() != unix.S_IFLNK {
		return "", unix.EINVAL
	}
	return t.target(p, i)
}

func (t *tree) target(p []string, i info) (string, error) {
	if i.link != "" {
		return i.link, nil
	}
	return t.source.readlink(p)
}

// within returns the path that a symlink at p leads to, if it is relative and in
// one of the trees.
func within(p []string, target string) ([]string, bool) {
	if target == "" || target[0] == '/' || strings.Contains(target, "\x00") {
		return nil, false
	}
	// The root is systemDir: a target that climbs above it keeps its dots.
	to := strings.Split(path.Join(strings.Join(p[:len(p)-1], "/"), target), "/")
	return to, slices.Contains([]string{cpuTop, nodeTop, memoryTop}, to[0])
}
