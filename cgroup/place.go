package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// place is a cgroup in a mounted hierarchy.
type place struct {
	hierarchy *Hierarchy
	path      string // as in /proc/PID/cgroup
	dir       string // absolute
}

// parent returns the cgroup above, until that at the mount point.
func (p place) parent() (place, bool) {
	if p.top() {
		return p, false
	}
	up := place{hierarchy: p.hierarchy, path: p.path[:strings.LastIndexByte(p.path, '/')]}
	if up.path == "" {
		up.path = "/"
	}
	up.dir = p.dir[:strings.LastIndexByte(p.dir, '/')]
	return up, true
}

// top reports whether p is what is mounted.
func (p place) top() bool { return p.path == "/" || p.path == p.hierarchy.Root }

// root reports whether p is the hierarchy's root cgroup, which has no limits.
func (p place) root() bool { return p.path == "/" && p.hierarchy.Root == "/" && !p.hierarchy.nested }

// Dir returns the absolute directory of the cgroup called path. The error is
// fs.ErrNotExist when the path is not below what is mounted.
func (hi *Hierarchy) Dir(path string) (string, error) {
	rest, ok := path, true
	if hi.Root != "/" {
		rest, ok = strings.CutPrefix(path, hi.Root)
		ok = ok && (rest == "" || rest[0] == '/')
	}
	// A reader in a cgroup namespace sees cgroups outside of it as "/../x".
	if !ok || path == "" || path[0] != '/' || hasDots(rest) {
		return "", fmt.Errorf("cgroup %q below %q of %s: %w", path, hi.Root, hi.MountPoint, fs.ErrNotExist)
	}
	return strings.TrimSuffix(hi.MountPoint, "/") + strings.TrimSuffix(rest, "/"), nil
}

// hasDots reports whether a component of the path is "..", or ".".
func hasDots(path string) bool {
	if !strings.Contains(path, "/.") {
		return false
	}
	for c := range strings.SplitSeq(path, "/") {
		if c == ".." || c == "." {
			return true
		}
	}
	return false
}

// carries reports whether the hierarchy has the controller: "" is v2 itself.
func (hi *Hierarchy) carries(controller string) bool {
	if hi.Version == 1 {
		name, named := strings.CutPrefix(controller, "name=")
		return named && name == hi.Name || slices.Contains(hi.Controllers, controller)
	}
	return controller == "" || hi.Controllers == nil || slices.Contains(hi.Controllers, controller)
}

// Dir returns the absolute directory of m's cgroup in the hierarchy that has
// the controller, and the hierarchy's version. A v1 hierarchy comes first; "io"
// and "blkio" are one controller, and on v2 "cpuacct" is "cpu". The controller
// "" is the v2 hierarchy. A controller that is not there is fs.ErrNotExist. The
// controller need not be enabled for the cgroup (v2).
func (h *Host) Dir(m Membership, controller string) (dir string, version int, err error) {
	p, err := h.place(m, controller)
	if err != nil {
		return "", 0, err
	}
	return p.dir, p.hierarchy.Version, nil
}

// place finds m's cgroup in the hierarchy that has the controller.
func (h *Host) place(m Membership, controller string) (place, error) {
	v1, v2 := controller, controller
	switch controller {
	case "io":
		v1 = "blkio"
	case "blkio":
		v2 = "io"
	case "cpuacct":
		v2 = "cpu"
	}
	for _, want := range [...]struct {
		version    int
		controller string
	}{{1, v1}, {2, v2}} {
		for i := range h.Hierarchies {
			hi := &h.Hierarchies[i]
			if hi.Version == want.version && hi.carries(want.controller) {
				return h.placeIn(m, hi, want.controller)
			}
		}
	}
	return place{}, fmt.Errorf("%s controller: %w", controller, fs.ErrNotExist)
}

func (h *Host) placeIn(m Membership, hi *Hierarchy, controller string) (place, error) {
	if hi.Version == 2 {
		controller = ""
	}
	e := m.entry(controller)
	if e == nil {
		return place{}, fmt.Errorf("cgroup in the hierarchy at %s: %w", hi.MountPoint, fs.ErrNotExist)
	}
	dir, err := h.dirs.of(hi, e.Path)
	return place{hierarchy: hi, path: e.Path, dir: dir}, err
}

// identityOrder is where containers are told apart when the systemd and the v2
// hierarchies have all processes at the root: no systemd on the host.
func identityOrder() [6]string {
	return [...]string{"name=systemd", "", "pids", "memory", "cpu", "devices"}
}

// Identity returns the hierarchy whose cgroups tell containers apart, and m's
// path there: on v2 that hierarchy; else the first of name=systemd, v2, pids,
// memory, cpu and devices in which m is not in the root cgroup. When it is in
// the root cgroup of all, path is "/" and the hierarchy the first that is
// mounted; without any, nil.
func (h *Host) Identity(m Membership) (hierarchy *Hierarchy, path string) {
	for _, controller := range identityOrder() {
		hi := h.mounted(controller)
		if hi == nil {
			continue
		}
		if hierarchy == nil {
			hierarchy = hi
		}
		if p, ok := m.Path(controller); ok && p != "/" {
			return hi, p
		}
	}
	return hierarchy, "/"
}

// mounted returns the hierarchy of a name in identityOrder, nil for none, and
// for all but v2 when that is the machine's layout.
func (h *Host) mounted(controller string) *Hierarchy {
	version := 1
	if controller == "" {
		version = 2
	} else if h.Layout == V2 {
		return nil
	}
	for i := range h.Hierarchies {
		if hi := &h.Hierarchies[i]; hi.Version == version && hi.carries(controller) {
			return hi
		}
	}
	return nil
}

// IdentityDir returns the absolute directory of a path that [Host.Identity]
// returned: in the first hierarchy, in the order of Identity, that has it, and
// "" when none has. Where the hierarchy is at hand, [Hierarchy.Dir] is exact.
func (h *Host) IdentityDir(path string) string {
	for _, controller := range identityOrder() {
		hi := h.mounted(controller)
		if hi == nil {
			continue
		}
		dir, err := hi.Dir(path)
		if err != nil {
			continue
		}
		if _, err := h.FS.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			return dir
		}
	}
	return ""
}
