package cgrouptree

import (
	"fmt"
	"strings"
	"syscall"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// relation is where a cgroup is, seen from the caller's container.
type relation uint8

const (
	outside relation = iota
	above            // on the way to the container's cgroup
	top              // the container's cgroup
	below            // strictly below it
)

// scope is what a caller may see of one hierarchy.
type scope struct {
	// all: the caller is the host's. It sees all and changes nothing: it has the
	// real files.
	all bool
	// path is the container's cgroup; "" for none. A container in the root cgroup
	// has none of its own: everybody's cgroups are below that.
	path string
	// witness is a process whose cgroup is at or below path.
	witness   uint32
	container *container.Container
	// top is the caller's top-level container, see [container.Decision].
	top string
}

// bound is what requests under way count for: the top-level container, so that
// those in it have one bound together.
func (s scope) bound() string {
	if s.top != "" {
		return s.top
	}
	return s.path
}

// scope finds what the caller, in a pid namespace of that depth, may see of h.
func (t *Tree) scope(tid uint32, h *hierarchy, depth int) (scope, error) {
	d, err := t.resolver.Resolve(tid)
	if err != nil {
		return scope{}, err
	}
	s, err := t.scopeOf(d, tid, h, depth)
	s.top = d.Top
	return s, err
}

func (t *Tree) scopeOf(d container.Decision, tid uint32, h *hierarchy, depth int) (scope, error) {
	if depth > 1 && (d.Container == nil || d.Container.InitPID == 0) {
		if s, ok := t.scopeByMark(tid, h, depth); ok {
			return s, nil
		}
	}
	if d.Container == nil {
		// Who is in a pid namespace is not the host's, though nobody knows whose.
		host := d.Reason == container.ReasonRoot || d.Reason == container.ReasonNoUnit
		return scope{all: host && depth == 1}, nil
	}
	name, ok := d.Container.Membership.Path(h.controller)
	if !ok {
		return scope{}, nil
	}
	rel, ok := h.relative(name)
	if !ok {
		return scope{}, nil
	}
	s := scope{path: t.bound(h, d.Container, rel), witness: d.Container.InitPID, container: d.Container}
	if s.witness == 0 {
		s.witness = tid
	}
	return s, nil
}

// confirm makes sure that path still is the name of the container's cgroup: a
// cgroup of v1 may be renamed, and another one take its name.
func (t *Tree) confirm(h *hierarchy, s scope) error {
	if s.all || s.path == "" {
		return nil
	}
	now, err := t.cgroupOf(h, s.witness)
	if err != nil {
		return err
	}
	if !isWithin(now, s.path) {
		return fmt.Errorf("process %d left the cgroup %q: %w", s.witness, s.path, syscall.ESTALE)
	}
	return nil
}

// cgroupOf returns the cgroup of a process in h.
func (t *Tree) cgroupOf(h *hierarchy, pid uint32) (string, error) {
	m, err := procpid.Read(t.proc, pid, "cgroup", cgroup.ParseMembership)
	if err != nil {
		return "", err
	}
	p, ok := m.Path(h.controller)
	if !ok {
		return "", fmt.Errorf("process %d: no hierarchy %q: %w", pid, h.controller, syscall.ESRCH)
	}
	rel, ok := h.relative(p)
	if !ok {
		return "", fmt.Errorf("process %d: %q is not mounted: %w", pid, p, syscall.ESRCH)
	}
	return rel, nil
}

// relation says where the cgroup called name is.
func (s scope) relation(name string) relation {
	switch {
	case s.all:
		return below
	case s.path == "":
		return outside
	case name == s.path:
		return top
	case strings.HasPrefix(name, s.path+"/"):
		return below
	case name == "", strings.HasPrefix(s.path, name+"/"):
		return above
	}
	return outside
}

// next is the one name that is seen in a directory above.
func (s scope) next(dir string) string {
	rest := s.path
	if dir != "" {
		rest = strings.TrimPrefix(s.path, dir+"/")
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}
