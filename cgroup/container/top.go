package container

import (
	"strings"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/procfs"
)

// top returns the path of the cgroup by which all bounds count for what is in p:
// the outermost runtime's scope or else the system's unit, if their names are to
// be believed; else the outermost cgroup that root gave away, since all below is
// its owner's; else p's own. Whoever shares it shares one bound, so it is never a
// parent of strangers' containers: of /docker/ID, not /docker.
func (r *Resolver) top(p place) string {
	if s, ok := r.outerScope(p); ok {
		return s.path
	}
	if unit := systemUnit(p.path); unit != "" && r.trusted(p.hier, unit) {
		return unit
	}
	return r.givenAway(p)
}

// Top returns the path of the cgroup by which bounds count for the thread tid; ""
// for one that is gone or not to be seen. Nothing that it reads can block.
func (r *Resolver) Top(tid uint32) string {
	if tid == 0 {
		return ""
	}
	r.mu.Lock()
	c, known := r.callers.get(tid)
	r.mu.Unlock()
	t := &task{pid: tid}
	if known && r.inquire().readPlace(t, c.file.Append) == nil {
		return t.top
	}
	name := procfs.Dir(tid) + "/cgroup"
	err := r.inquire().readPlace(t, func(dst []byte) ([]byte, error) { return r.host.FS.Append(dst, name) })
	if err != nil {
		return ""
	}
	return t.top
}

// givenAway returns the outermost cgroup on p's path that is not root's; p's own
// if all are. Of a path deeper than any runtime makes the beginning counts.
func (r *Resolver) givenAway(p place) string {
	end := 0
	for component := range strings.SplitSeq(strings.TrimPrefix(p.path, "/"), "/") {
		end = min(end+1+len(component), len(p.path))
		if path := p.path[:end]; r.givenAt(p.hier, path) || strings.Count(path, "/") >= maxTrusted {
			return path
		}
	}
	return p.path
}

func (r *Resolver) givenAt(h *cgroup.Hierarchy, path string) bool {
	if h == nil {
		return false
	}
	dir, err := h.Dir(path)
	if err != nil {
		return false
	}
	info, err := r.host.FS.Stat(dir)
	return err == nil && info.UID != 0
}
