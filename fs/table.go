package fs

import (
	"os"
	"path"
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
	index    uint16
	name     string
	parent   *node   // of the root, itself
	children []*node // sorted by name; nil for a file
	file     *File   // nil for a directory
	length   int     // of the host's file, bytes
}

// child returns the node of that name in the directory n.
func (n *node) child(name string) *node {
	i := sort.Search(len(n.children), func(i int) bool { return n.children[i].name >= name })
	if i < len(n.children) && n.children[i].name == name {
		return n.children[i]
	}
	return nil
}

// mode of what the table has; all of it is root's.
func (n *node) mode() uint32 {
	switch {
	case n.index == served.Root:
		return syscall.S_IFDIR | 0o755
	case n.file == nil:
		return syscall.S_IFDIR | 0o555
	}
	return syscall.S_IFREG | 0o444
}

// end is where the kernel's own version of a file ends: after a page in sysfs, 0
// (nowhere) in procfs.
func (n *node) end() int {
	if strings.HasPrefix(n.file.Path, "/sys/") {
		return os.Getpagesize()
	}
	return 0
}

// table is the tree of the files that are the same for everybody but for their
// content, and of the directories above them. A key is an index.
type table struct {
	renderer *Renderer
	paths    map[string]served.Path
	byIndex  map[uint16]*node
	triggers bool // pressure files can be written to
}

var _ vfs.Tree = (*table)(nil)

// newTable returns the tree of the files given, which has those that are in the frozen
// table.
func newTable(r *Renderer, files []*File, paths []served.Path) *table {
	t := &table{renderer: r, paths: make(map[string]served.Path), byIndex: make(map[uint16]*node)}
	for _, p := range paths {
		t.paths[p.Name] = p
	}
	root := &node{index: served.Root, name: "/"}
	root.parent = root
	t.byIndex[served.Root] = root
	for _, f := range files {
		p, ok := t.paths[f.Path]
		if !ok || p.Kind != served.File {
			continue
		}
		host, _ := r.FS.Append(nil, f.Path) // the length is 0 of one that can't be read now
		t.add(t.directory(path.Dir(f.Path)), &node{index: p.Index, name: path.Base(f.Path), file: f, length: len(host)})
	}
	return t
}

// directory returns the node of a directory, made with all above it.
func (t *table) directory(name string) *node {
	number := t.paths[name].Index
	if n := t.byIndex[number]; n != nil {
		return n
	}
	n := &node{index: number, name: path.Base(name)}
	t.add(t.directory(path.Dir(name)), n)
	return n
}

func (t *table) add(dir, n *node) {
	n.parent = dir
	t.byIndex[n.index] = n
	at := sort.Search(len(dir.children), func(i int) bool { return dir.children[i].name >= n.name })
	dir.children = append(dir.children, nil)
	copy(dir.children[at+1:], dir.children[at:])
	dir.children[at] = n
}

// node returns the node of a key, nil for an unknown one.
func (t *table) node(key vfs.Key) *node {
	if key >= 1<<indexBits {
		return nil
	}
	return t.byIndex[uint16(key)]
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

// attr returns what stat(2) shows. The inode number is the index, the same in
// every process and version.
func (t *table) attr(n *node) vfs.Attr {
	a := vfs.Attr{Ino: uint64(n.index), Mode: n.mode(), Nlink: 1, Fixed: true}
	if n.file != nil {
		a.Size, a.Length = n.end(), n.length
		if _, ok := t.Resource(vfs.Key(n.index)); ok {
			a.Mode |= 0o666 // as the kernel's
		}
		return a
	}
	a.Nlink = 2
	for _, c := range n.children {
		if c.file == nil {
			a.Nlink++
		}
	}
	return a
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
	return vfs.Key(n.index), t.attr(n), nil
}

// Attr implements [vfs.Tree].
func (t *table) Attr(_ vfs.Caller, key vfs.Key) (vfs.Attr, error) {
	n := t.node(key)
	if n == nil {
		return vfs.Attr{}, syscall.ESTALE
	}
	return t.attr(n), nil
}

// List implements [vfs.Tree].
func (t *table) List(_ vfs.Caller, dir vfs.Key) ([]vfs.Entry, error) {
	n, err := t.dir(dir)
	if err != nil {
		return nil, err
	}
	entries := make([]vfs.Entry, 0, len(n.children))
	for _, c := range n.children {
		entries = append(entries, vfs.Entry{Name: c.name, Ino: uint64(c.index), Mode: c.mode()})
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

// Resource implements [triggered].
func (t *table) Resource(key vfs.Key) (string, bool) {
	f, err := t.fileOf(key)
	if err != nil || !t.triggers {
		return "", false
	}
	return strings.CutPrefix(f.Path, "/proc/pressure/")
}
