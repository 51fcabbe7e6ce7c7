package cgroup

import (
	"strings"
	"sync"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// dirTable remembers what Hierarchy.Dir returned, so that no directory's name is
// put together for every read.
type dirTable struct {
	mu    sync.Mutex // guards names
	names map[dirKey]string
}

type dirKey struct {
	hierarchy *Hierarchy
	path      string
}

// maxDirs bounds the names kept: four hierarchies of 4096 containers. A full
// table begins anew.
const maxDirs = 16384

func (t *dirTable) of(hi *Hierarchy, path string) (string, error) {
	key := dirKey{hi, path}
	t.mu.Lock()
	defer t.mu.Unlock()
	if dir, ok := t.names[key]; ok {
		return dir, nil
	}
	dir, err := hi.Dir(path)
	if err != nil {
		return "", err
	}
	if t.names == nil || len(t.names) >= maxDirs {
		t.names = make(map[dirKey]string)
	}
	t.names[key] = dir
	return dir, nil
}

// Forget lets go of the files held of m's v1 cgroups and those above them. A v1
// cgroup can be renamed, and another one made in its place: whoever meets a new
// container calls Forget before anything of it is read. Cgroups of v2 keep their
// names.
func (h *Host) Forget(m Membership) {
	dirs := make(map[string]bool)
	for i := range h.Hierarchies {
		hi := &h.Hierarchies[i]
		if hi.Version != 1 {
			continue
		}
		for _, e := range m {
			if len(e.Controllers) == 0 || !hi.carries(e.Controllers[0]) {
				continue
			}
			dir, err := hi.Dir(e.Path)
			for ; err == nil && len(dir) > 1; dir = dir[:strings.LastIndexByte(dir, '/')] {
				dirs[dir] = true
			}
		}
	}
	if len(dirs) == 0 {
		return
	}
	hostfile.Forget(h.FS, func(dir string) bool { return dirs[dir] })
}
