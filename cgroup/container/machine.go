package container

import (
	"strings"
	"sync"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// machine is what facts are read from. What it remembers is what texts say, and
// nothing of any process.
type machine struct {
	host    *cgroup.Host
	opts    Options
	buffers sync.Pool // of *[]byte
	lines   cache[string, line]
}

// line is the content of a /proc/PID/cgroup and what it says. Immutable: a cgroup
// that is given away later has the bounds that it had.
type line struct {
	raw, top string
	place    place
}

// place is where a task is in the cgroup hierarchies; without /init.scope.
type place struct {
	member cgroup.Membership
	hier   *cgroup.Hierarchy // identity hierarchy; nil when there is none
	path   string            // in hier
}

// initScope is where systemd, as pid 1, puts itself below the cgroup it manages.
const initScope = "/init.scope"

func (m *machine) init(host *cgroup.Host, opts Options) {
	m.host, m.opts = host, opts
	m.buffers.New = func() any { b := make([]byte, 0, 4096); return &b }
	m.lines.ring = ring[string, line]{limit: opts.MaxContainers, room: maxText / 2}
	m.lines.cost = func(l line) int { return textCost * len(l.raw) }
}

func (m *machine) buffer() *[]byte   { return m.buffers.Get().(*[]byte) }
func (m *machine) release(b *[]byte) { m.buffers.Put(b) }

// says: the content of a task's file is raw; the error says that the task lives no
// more.
func (m *machine) says(file hostfile.File, raw string) (bool, error) {
	buf := m.buffer()
	defer m.release(buf)
	var err error
	*buf, err = file.Append((*buf)[:0])
	return err == nil && string(*buf) == raw, err
}

// lives returns an error when the task that the file is of lives no more.
func (m *machine) lives(file hostfile.File) error {
	_, err := m.says(file, "")
	return err
}

// parse returns what a /proc/PID/cgroup says. Callers of one container have the same
// content and share it.
func (m *machine) parse(raw []byte) (line, error) {
	if known, ok := m.lines.get(string(raw)); ok {
		return known, nil
	}
	member, err := cgroup.ParseMembership(raw)
	if err != nil {
		return line{}, err
	}
	for i := range member {
		member[i].Path = stripInitScope(member[i].Path)
	}
	l := line{raw: string(raw), place: m.placeOf(member)}
	l.top = m.top(l.place)
	m.lines.put(l.raw, l)
	return l, nil
}

func stripInitScope(path string) string {
	if path == initScope {
		return "/"
	}
	return strings.TrimSuffix(path, initScope)
}

func (m *machine) placeOf(member cgroup.Membership) place {
	hier, path := m.host.Identity(member)
	if path == "" {
		path = "/"
	}
	return place{member, hier, path}
}

// cut returns p moved up to the cgroup called path, in every hierarchy where it
// is below a cgroup of that name.
func (p place) cut(path string) place {
	m := make(cgroup.Membership, len(p.member))
	copy(m, p.member)
	for i := range m {
		if within(m[i].Path, path) {
			m[i].Path = path
		}
	}
	return place{m, p.hier, path}
}

// pathIn returns m's path in a hierarchy.
func pathIn(h *cgroup.Hierarchy, m cgroup.Membership) (string, bool) {
	switch {
	case h == nil:
		return "", false
	case h.Version == 2:
		return m.Path("")
	case h.Name != "":
		return m.Path("name=" + h.Name)
	case len(h.Controllers) > 0:
		return m.Path(h.Controllers[0])
	}
	return "", false
}

// top returns the path of the cgroup by which all bounds count for what is in p:
// that which decides for all in it; else the outermost cgroup that root gave away,
// since all below is its owner's; else p's own. Whoever shares it shares one bound,
// so it is never a parent of strangers' containers: of /docker/ID, not /docker.
func (m *machine) top(p place) string {
	if s, ok := topLevel(p.path, m.trusts(p.hier)); ok {
		return s.path
	}
	return m.givenAway(p)
}

// givenAway returns the outermost cgroup on p's path that is not root's; p's own
// if all are. Of a path deeper than any runtime makes the beginning counts.
func (m *machine) givenAway(p place) string {
	end := 0
	for component := range strings.SplitSeq(strings.TrimPrefix(p.path, "/"), "/") {
		end = min(end+1+len(component), len(p.path))
		path := p.path[:end]
		if uid, ok := m.owner(p.hier, path); ok && uid != 0 || strings.Count(path, "/") >= maxTrusted {
			return path
		}
	}
	return p.path
}

// owner returns who owns a cgroup's directory.
func (m *machine) owner(h *cgroup.Hierarchy, path string) (uid uint32, ok bool) {
	if h == nil {
		return 0, false
	}
	dir, err := h.Dir(path)
	if err != nil {
		return 0, false
	}
	info, err := m.host.FS.Stat(dir)
	return info.UID, err == nil
}

// maxTrusted is how many cgroups may be above one whose name is believed. No
// runtime makes one so deep.
const maxTrusted = 32

// trusts returns a function that says of a cgroup whether root owns every directory
// above it, so that root (or whom root asked) chose its name. A machine of systemd's
// may have the host's root for its own: below its unit only payload is a name of
// the host's.
func (m *machine) trusts(h *cgroup.Hierarchy) func(path string) bool {
	return func(path string) bool {
		if h == nil || strings.Count(path, "/") > maxTrusted {
			return false
		}
		if u := cgroup.UnitOf(path); u.Machine != "" && path != u.Path && path != u.Path+"/payload" {
			return false
		}
		for path != "/" {
			path = parentPath(path)
			if uid, ok := m.owner(h, path); !ok || uid != 0 {
				return false
			}
		}
		return true
	}
}
