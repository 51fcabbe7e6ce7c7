package cgrouptree

import (
	"path"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/fair"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// Path is where the tree is served below the mount point.
const Path = "/cgroup"

// Resolver finds the container of a caller; [container.Resolver] is one.
type Resolver interface {
	Resolve(tid uint32) (container.Decision, error)
}

// How much is remembered of containers' cgroups, and of where nodes are, bytes: some
// thousand, and some ten thousand.
const (
	boundRoom = 1 << 20
	pathRoom  = 8 << 20
)

// Tree serves the cgroup hierarchies of a host. It is safe for concurrent use.
type Tree struct {
	proc        hostfile.FS // /proc
	resolver    Resolver
	hierarchies []*hierarchy // sorted by name
	inFlight    inFlight
	longWork    *fair.Gate[string] // by top-level container
	bounds      memo[boundKey, bound]
	paths       memo[vfs.Key, string]
	uid         uint32     // ours, commonly root's
	making      sync.Mutex // held while a cgroup is made
}

var _ vfs.Mutable = (*Tree)(nil)

// New opens the hierarchies of the host. One that has no number (see
// hierarchyNumber) or the name of another is left out. The descriptors are
// open as long as the process lives.
func New(host *cgroup.Host, resolver Resolver) (*Tree, error) {
	t := &Tree{
		proc: host.FS, resolver: resolver, uid: uint32(unix.Geteuid()), longWork: newLongWork(),
		bounds: memo[boundKey, bound]{room: boundRoom}, paths: memo[vfs.Key, string]{room: pathRoom},
	}
	for i := range host.Hierarchies {
		h, err := openHierarchy(&host.Hierarchies[i])
		if err != nil {
			return nil, err
		}
		if h != nil && t.named(h.name) == nil {
			t.hierarchies = append(t.hierarchies, h)
		}
	}
	slices.SortFunc(t.hierarchies, func(a, b *hierarchy) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return t, nil
}

// Mount says where package fs is to serve the tree.
func (t *Tree) Mount() vfs.Mount {
	return vfs.Mount{Path: Path, KeyBits: keyBits, Tree: t}
}

func (t *Tree) named(name string) *hierarchy {
	i := slices.IndexFunc(t.hierarchies, func(h *hierarchy) bool { return h.name == name })
	if i < 0 {
		return nil
	}
	return t.hierarchies[i]
}

// Lookup finds a name in a directory.
func (t *Tree) Lookup(c vfs.Caller, dir vfs.Key, name string) (vfs.Key, vfs.Attr, error) {
	if err := checkName(name); err != nil {
		return 0, vfs.Attr{}, err
	}
	if dir == vfs.Top {
		h := t.named(name)
		if h == nil {
			return 0, vfs.Attr{}, syscall.ENOENT
		}
		a, err := t.Attr(c, h.key(h.ino))
		return h.key(h.ino), a, err
	}
	n, err := t.open(c, dir)
	if err != nil {
		return 0, vfs.Attr{}, err
	}
	defer n.close()
	return n.lookup(name)
}

func (n *node) lookup(name string) (vfs.Key, vfs.Attr, error) {
	switch {
	case n.file != "":
		return 0, vfs.Attr{}, syscall.ENOTDIR
	case n.rel == outside, n.rel == above && name != n.scope.next(n.path):
		return 0, vfs.Attr{}, syscall.ENOENT
	case n.rel != above && !n.cred.may(&n.stat, mayExec):
		return 0, vfs.Attr{}, syscall.EACCES
	}
	child, err := n.child(name)
	if err != nil {
		return 0, vfs.Attr{}, err
	}
	defer child.close()
	key := n.h.key(child.stat.Ino)
	if key == vfs.Top {
		return 0, vfs.Attr{}, syscall.EOVERFLOW
	}
	n.tree.remember(n.scope, key, child.fullPath())
	return key, child.attr(), nil
}

// Attr returns the attributes of a node.
func (t *Tree) Attr(c vfs.Caller, key vfs.Key) (vfs.Attr, error) {
	if key == vfs.Top {
		return vfs.Attr{Ino: 1, Mode: unix.S_IFDIR | 0o555, Nlink: uint32(len(t.hierarchies)) + 2}, nil
	}
	n, err := t.open(c, key)
	if err != nil {
		return vfs.Attr{}, err
	}
	defer n.close()
	return n.attr(), nil
}

// Access says whether the caller has permissions, those of access(2).
func (t *Tree) Access(c vfs.Caller, key vfs.Key, want uint32) error {
	if key == vfs.Top {
		if want&mayWrite != 0 {
			return syscall.EACCES
		}
		return nil
	}
	n, err := t.open(c, key)
	if err != nil {
		return err
	}
	defer n.close()
	switch {
	case n.file == "" && (n.rel == above || n.rel == outside):
		if want&mayWrite == 0 {
			return nil
		}
	case n.cred.may(&n.stat, want):
		return nil
	}
	return syscall.EACCES
}

// List returns the names in a directory.
func (t *Tree) List(c vfs.Caller, dir vfs.Key) ([]vfs.Entry, error) {
	if dir == vfs.Top {
		return t.top(), nil
	}
	n, err := t.open(c, dir)
	if err != nil {
		return nil, err
	}
	defer n.close()
	switch {
	case n.file != "":
		return nil, syscall.ENOTDIR
	case n.rel == outside:
		return nil, nil
	case n.rel == above:
		return n.way()
	case !n.cred.may(&n.stat, mayRead):
		return nil, syscall.EACCES
	}
	var entries []vfs.Entry
	err = t.long(n.scope, func() error {
		entries, err = n.entries()
		return err
	})
	return entries, err
}

// top lists the hierarchies.
func (t *Tree) top() []vfs.Entry {
	entries := make([]vfs.Entry, len(t.hierarchies))
	for i, h := range t.hierarchies {
		entries[i] = vfs.Entry{Name: h.name, Ino: h.ino, Mode: unix.S_IFDIR}
	}
	return entries
}

// way lists the one name in a directory above the container's cgroup.
func (n *node) way() ([]vfs.Entry, error) {
	child, err := n.child(n.scope.next(n.path))
	if err != nil {
		return nil, err
	}
	defer child.close()
	return []vfs.Entry{{Name: path.Base(child.path), Ino: child.stat.Ino, Mode: unix.S_IFDIR}}, nil
}

func (n *node) entries() ([]vfs.Entry, error) {
	return readDir(n.fd, maxSearch)
}

// maxName is NAME_MAX, bytes.
const maxName = 255

// checkName refuses what is not one name in a directory.
func checkName(name string) error {
	if len(name) > maxName {
		return syscall.ENAMETOOLONG
	}
	if name == "" || name == "." || name == ".." {
		return syscall.ENOENT
	}
	for i := range len(name) {
		if name[i] == '/' || name[i] == 0 {
			return syscall.EINVAL
		}
	}
	return nil
}
