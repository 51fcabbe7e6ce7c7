package fs

import (
	"os"
	"path"
	"slices"
	"sort"
	"strings"
	"syscall"

	"linuxcontainers.org/lxcfs/fs/served"
	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// File is one served file.
type File struct {
	view.File
	counters Counters
}

// node is a directory or a file of the table.
type node struct {
	attr     vfs.Attr // its inode number is the key
	name     string
	parent   *node   // of the root, itself
	children []*node // sorted by name; nil for a file
	file     *File   // nil for a directory
}

func (n *node) key() vfs.Key { return vfs.Key(n.attr.Ino) }

// child returns the node of that name in the directory n.
func (n *node) child(name string) *node {
	i := sort.Search(len(n.children), func(i int) bool { return n.children[i].name >= name })
	if i < len(n.children) && n.children[i].name == name {
		return n.children[i]
	}
	return nil
}

// end is where the kernel's own version of a file ends: after a page in sysfs, 0
// (nowhere) in procfs.
func end(path string) int {
	if strings.HasPrefix(path, "/sys/") {
		return os.Getpagesize()
	}
	return 0
}

// table is the tree of the files that are the same for everybody but for their
// content, and of the directories above them. A key is an index.
type table struct {
	renderer *Renderer
	paths    map[string]served.Path
	nodes    []*node // by index
	triggers bool    // pressure files can be written to
}

var _ vfs.Tree = (*table)(nil)

// newTable returns the tree of the files given, which has those that are in the frozen
// table.
func newTable(r *Renderer, files []*File, paths []served.Path) *table {
	t := &table{renderer: r, paths: make(map[string]served.Path)}
	for _, p := range paths {
		t.paths[p.Name] = p
		t.nodes = append(t.nodes, make([]*node, max(0, int(p.Index)+1-len(t.nodes)))...)
	}
	root := &node{name: "/", attr: vfs.Attr{Ino: served.Root, Mode: syscall.S_IFDIR | 0o755, Nlink: 2, Fixed: true}}
	root.parent, t.nodes[served.Root] = root, root
	for _, f := range files {
		p := t.paths[f.Path]
		if p.Kind != served.File {
			continue
		}
		host, _ := r.FS.Append(nil, f.Path) // the length is 0 of one that can't be read now
		attr := vfs.Attr{Mode: syscall.S_IFREG | 0o444, Nlink: 1, Size: end(f.Path), Length: len(host)}
		t.add(p, &node{file: f, attr: attr})
	}
	return t
}

// directory returns the node of a directory, made with all above it.
func (t *table) directory(name string) *node {
	p := t.paths[name]
	if n := t.nodes[p.Index]; n != nil {
		return n
	}
	return t.add(p, &node{attr: vfs.Attr{Mode: syscall.S_IFDIR | 0o555, Nlink: 2}})
}

// add adds the node of a path to its directory. All is root's.
func (t *table) add(p served.Path, n *node) *node {
	dir := t.directory(path.Dir(p.Name))
	n.name, n.parent, n.attr.Ino, n.attr.Fixed = path.Base(p.Name), dir, uint64(p.Index), true
	t.nodes[p.Index] = n
	if n.file == nil {
		dir.attr.Nlink++
	}
	at := sort.Search(len(dir.children), func(i int) bool { return dir.children[i].name >= n.name })
	dir.children = slices.Insert(dir.children, at, n)
	return n
}

// node returns the node of a key, nil for an unknown one.
func (t *table) node(key vfs.Key) *node {
	if key >= vfs.Key(len(t.nodes)) {
		return nil
	}
	return t.nodes[key]
}

// dir returns the node of a directory.
func (t *table) dir(key vfs.Key) (*node, error) {
	n := t.node(key)
	switch {
	case n == nil:
		return nil, syscall.ESTALE
	case n.file != nil:
		return nil, syscall.ENOTDIR
	}
	return n, nil
}

// Lookup implements [vfs.Tree].
func (t *table) Lookup(_ vfs.Caller, dir vfs.Key, name string) (vfs.Key, vfs.Attr, error) {
	n, err := t.dir(dir)
	if err != nil {
		return 0, vfs.Attr{}, err
	}
	if n = n.child(name); n == nil {
		return 0, vfs.Attr{}, syscall.ENOENT
	}
	return n.key(), n.attr, nil
}

// Attr implements [vfs.Tree].
func (t *table) Attr(_ vfs.Caller, key vfs.Key) (vfs.Attr, error) {
	n := t.node(key)
	if n == nil {
		return vfs.Attr{}, syscall.ESTALE
	}
	return n.attr, nil
}

// List implements [vfs.Tree].
func (t *table) List(_ vfs.Caller, dir vfs.Key) ([]vfs.Entry, error) {
	n, err := t.dir(dir)
	if err != nil {
		return nil, err
	}
	entries := make([]vfs.Entry, 0, len(n.children))
	for _, c := range n.children {
		entries = append(entries, vfs.Entry{Name: c.name, Ino: c.attr.Ino, Mode: c.attr.Mode})
	}
	return entries, nil
}

// Open implements [vfs.Tree].
func (t *table) Open(_ vfs.Caller, file vfs.Key, _ uint32) error {
	_, err := t.fileOf(file)
	return err
}

// Append implements [vfs.Tree].
func (t *table) Append(dst []byte, c vfs.Caller, file vfs.Key) ([]byte, error) {
	f, err := t.fileOf(file)
	if err != nil {
		return dst, err
	}
	return t.renderer.content(dst, f, c)
}

func (t *table) fileOf(key vfs.Key) (*File, error) {
	if n := t.node(key); n != nil && n.file != nil {
		return n.file, nil
	}
	return nil, syscall.ESTALE
}

// takeTriggers makes pressure files writable, as the kernel's are.
func (t *table) takeTriggers() {
	t.triggers = true
	for _, n := range t.nodes {
		if n == nil {
			continue
		}
		if _, ok := t.Resource(n.key()); ok {
			n.attr.Mode |= 0o666
		}
	}
}

// Resource implements [triggered].
func (t *table) Resource(key vfs.Key) (string, bool) {
	f, err := t.fileOf(key)
	if err != nil || !t.triggers {
		return "", false
	}
	return strings.CutPrefix(f.Path, "/proc/pressure/")
}
