package fs

import (
	"maps"
	"slices"
	"syscall"

	"linuxcontainers.org/lxcfs/fs/subtree"
)

// maxPaths bounds what Paths returns.
const maxPaths = 1 << 16

// Paths lists the files that the thread tid finds, "/proc/meminfo", in order,
// without those of a subtree that can be changed. It opens none.
func (t *Tree) Paths(tid uint32) []string {
	found := make(map[string]bool)
	for _, f := range t.renderer.files {
		found[f.Path] = true
	}
	for _, s := range t.subtrees {
		if _, mutable := s.Tree.(subtree.Mutable); !mutable {
			pathsBelow(s.Tree, s.Path, subtree.Top, subtree.Caller{TID: tid}, maxShownDepth, found)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// pathsBelow adds the files below a directory. What can't be looked up now is left
// out: it is gone.
func pathsBelow(tree subtree.Tree, path string, dir subtree.Key, c subtree.Caller, depth int, found map[string]bool) {
	entries, err := tree.List(c, dir)
	if err != nil || depth == 0 {
		return
	}
	for _, e := range entries {
		if len(found) >= maxPaths {
			return
		}
		name := path + "/" + e.Name
		switch e.Mode & syscall.S_IFMT {
		case syscall.S_IFREG:
			found[name] = true
		case syscall.S_IFDIR:
			if key, _, err := tree.Lookup(c, dir, e.Name); err == nil {
				pathsBelow(tree, name, key, c, depth-1, found)
			}
		}
	}
}
