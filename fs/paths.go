package fs

import (
	"slices"
	"syscall"

	"linuxcontainers.org/lxcfs/fs/served"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// maxPaths bounds what Paths returns.
const maxPaths = 1 << 16

// Paths lists the files that the thread tid finds, "/proc/meminfo", in order,
// without those of a tree that can be changed. It opens none.
func (t *Tree) Paths(tid uint32) []string {
	c := vfs.Caller{TID: tid, Quiet: true}
	found := t.below(nil, c, "", t.at(served.Root), maxShownDepth)
	slices.Sort(found)
	return found
}

// below appends the files below a directory. What can't be looked up now is left
// out: it is gone.
func (t *Tree) below(found []string, c vfs.Caller, path string, dir place, depth int) []string {
	if top, ok := t.under(dir); depth == 0 || ok && top.mutable != nil {
		return found
	}
	entries, err := t.list(c, dir)
	if err != nil {
		return found
	}
	for _, e := range entries {
		if len(found) >= maxPaths {
			break
		}
		name := path + "/" + e.Name
		switch e.Mode & syscall.S_IFMT {
		case syscall.S_IFREG:
			found = append(found, name)
		case syscall.S_IFDIR:
			if p, _, err := t.lookup(c, dir, e.Name); err == nil {
				found = t.below(found, c, name, p, depth-1)
			}
		}
	}
	return found
}
