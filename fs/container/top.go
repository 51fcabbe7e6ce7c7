package container

import (
	"strings"

	"linuxcontainers.org/lxcfs/cgroup"
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
