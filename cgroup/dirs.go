package cgroup

import (
	"maps"
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

// drop forgets the names of these directories.
func (t *dirTable) drop(dirs map[string]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.names, func(_ dirKey, dir string) bool { return dirs[dir] })
}

// Forget lets go of the files held of m's v1 cgroups and those above them. A v1
// cgroup can be renamed, and another one made in its place: whoever meets a new
// container calls Forget before anything of it is read. Cgroups of v2 keep their
// names.
func (h *Host) Forget(m Membership) {
	dirs := make(map[string]bool)
	h.addDirs(dirs, 1, m)
	if len(dirs) == 0 {
		return
	}
	hostfile.Forget(h.FS, func(dir string) bool { return dirs[dir] })
}

// Release lets go of all that is held of these cgroups, which nobody will read any
// more, and of those above, which may go with the last of them. What is read
// nevertheless is opened anew.
func (h *Host) Release(all []Membership) {
	dirs := make(map[string]bool)
	for _, m := range all {
		h.addDirs(dirs, 1, m)
		h.addDirs(dirs, 2, m)
	}
	if len(dirs) == 0 {
		return
	}
	h.dirs.drop(dirs)
	hostfile.Forget(h.FS, func(dir string) bool { return dirs[dir] })
}

// addDirs adds the directories of m's cgroups, and those above them, in the
// hierarchies of a version.
func (h *Host) addDirs(dirs map[string]bool, version int, m Membership) {
	for i := range h.Hierarchies {
		hi := &h.Hierarchies[i]
		if hi.Version != version {
			continue
		}
		for _, e := range m {
			if !hi.has(e) {
				continue
			}
			dir, err := hi.Dir(e.Path)
			for ; err == nil && len(dir) > 1 && !dirs[dir]; dir = dir[:strings.LastIndexByte(dir, '/')] {
				dirs[dir] = true
			}
		}
	}
}

// has says whether an entry of /proc/PID/cgroup is of the hierarchy.
func (hi *Hierarchy) has(e Entry) bool {
	if len(e.Controllers) == 0 {
		return hi.Version == 2
	}
	return hi.Version == 1 && hi.carries(e.Controllers[0])
}
