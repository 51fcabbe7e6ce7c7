package daemon

import (
	"fmt"
	"sync"

	"linuxcontainers.org/lxcfs/fs/cgrouptree"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// cgroupTree is the machine's cgroup tree, made when a connection first wants
// it: it holds the hierarchies open.
type cgroupTree struct {
	once sync.Once
	tree *cgrouptree.Tree
	err  error
}

// cgroupMounts returns the cgroup tree for a connection that wants it. A restored
// connection is served without it rather than not at all.
func (s *server) cgroupMounts(o origin) ([]vfs.Mount, error) {
	c := &s.machine.cgroups
	c.once.Do(func() { c.tree, c.err = cgrouptree.New(s.machine.host, s.machine.resolver) })
	if c.err != nil {
		s.log.Error("no cgroup tree", "mountpoint", o.Mountpoint, "error", c.err)
		return nil, fmt.Errorf("cgroup tree: %w", c.err)
	}
	return []vfs.Mount{c.tree.Mount()}, nil
}
