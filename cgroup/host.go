package cgroup

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// Layout says which versions of cgroups a machine has mounted.
type Layout uint8

// The layouts, cgroups(7).
const (
	V1     Layout = iota + 1 // v1 hierarchies only
	Hybrid                   // v1 hierarchies with controllers, and cgroup2
	V2                       // cgroup2 only, or with v1 hierarchies that have no controller
)

// String returns "v1", "hybrid" or "v2".
func (l Layout) String() string {
	switch l {
	case V1:
		return "v1"
	case Hybrid:
		return "hybrid"
	case V2:
		return "v2"
	}
	return "unknown"
}

// Hierarchy is one mounted cgroup hierarchy.
type Hierarchy struct {
	// Version is 1 or 2.
	Version int
	// Controllers are the controllers attached to it; on v2 those in
	// cgroup.controllers of the mounted root, nil if that is unreadable: any
	// controller may be there.
	Controllers []string
	// Name is "systemd" for a v1 hierarchy mounted with name=systemd.
	Name string
	// MountPoint is the absolute path where it is mounted.
	MountPoint string
	// Root is the cgroup that is at MountPoint: "/" unless a part of the
	// hierarchy is bind mounted.
	Root string

	// nested: the cgroup at MountPoint is not the hierarchy's root cgroup
	// though Root is "/" (inside a cgroup namespace), so it may have limits.
	nested bool
}

// Host is a machine's cgroup hierarchies. It is safe for concurrent use; the mounts
// are those at the time of [Detect].
type Host struct {
	FS          hostfile.FS
	Layout      Layout
	Reason      string
	Hierarchies []Hierarchy
	// PageSize is that of the machine's kernel, bytes: the running one's, unless
	// FS is another machine's.
	PageSize uint64

	hugeSize    uint64    // 0: not known
	scratch     sync.Pool // of *[]byte, for the content of interface files
	absentFiles sync.Map  // of *negativeCache, by the file's name
	dirs        dirTable
	lists       listTable
}

const mountinfo = "/proc/self/mountinfo"

// Detect finds the cgroup hierarchies in /proc/self/mountinfo. Host.Reason says
// in words what was found. The error is fs.ErrNotExist when nothing is mounted.
//
// Of several mounts of one hierarchy it takes a visible one, rather with the
// whole hierarchy than a part, rather below /sys/fs/cgroup than elsewhere.
func Detect(fsys hostfile.FS) (*Host, error) {
	content, err := fsys.Append(nil, mountinfo)
	if err != nil {
		return nil, err
	}
	mounts, err := parseMountinfo(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", mountinfo, err)
	}
	h := &Host{FS: fsys, PageSize: uint64(os.Getpagesize())}
	for _, m := range choose(mounts) {
		h.Hierarchies = append(h.Hierarchies, h.hierarchy(m))
	}
	if len(h.Hierarchies) == 0 {
		return nil, fmt.Errorf("cgroup mount in %s: %w", mountinfo, fs.ErrNotExist)
	}
	h.Layout, h.Reason = layout(h.Hierarchies)
	if b, err := fsys.Append(nil, "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"); err == nil {
		h.hugeSize, _ = parseSingle(b)
	}
	return h, nil
}

// HugeSize returns the size of a transparent huge page, bytes: what sysfs says,
// else that of most machines, as many pages as a page of the page table has
// entries of 8 bytes.
func (h *Host) HugeSize() uint64 {
	if h.hugeSize > 0 {
		return h.hugeSize
	}
	return h.PageSize / 8 * h.PageSize
}

// choose returns one mount for each hierarchy, in the order of mountinfo.
func choose(mounts []procpid.Mount) []procpid.Mount {
	var chosen []procpid.Mount
	for _, m := range mounts {
		if string(m.FSType) != "cgroup" && string(m.FSType) != "cgroup2" || !visible(mounts, m) {
			continue
		}
		same := slices.IndexFunc(chosen, func(c procpid.Mount) bool { return hierarchyKey(c) == hierarchyKey(m) })
		switch {
		case same < 0:
			chosen = append(chosen, m)
		case rank(m) > rank(chosen[same]):
			chosen[same] = m
		}
	}
	return chosen
}

// hierarchyKey is the same for all mounts of a hierarchy.
func hierarchyKey(m procpid.Mount) string {
	if string(m.FSType) == "cgroup2" {
		return "v2"
	}
	controllers, name := parseSuperOptions(string(m.Options))
	return strings.Join(controllers, ",") + ";" + name
}

func rank(m procpid.Mount) int {
	r := 0
	if string(m.Root) == "/" {
		r += 2
	}
	if isBelow(string(m.Point), "/sys/fs/cgroup") {
		r++
	}
	return r
}

// parseSuperOptions parses the super options of a v1 mount:
//
//	rw,cpu,cpuacct
//	rw,xattr,name=systemd
//
// What is neither a controller nor a name (noprefix, clone_children,
// release_agent=...) is left out.
func parseSuperOptions(options string) (controllers []string, name string) {
	for o := range strings.SplitSeq(options, ",") {
		if n, ok := strings.CutPrefix(o, "name="); ok {
			name = n
		} else if isController(o) {
			controllers = append(controllers, o)
		}
	}
	return controllers, name
}

// isController knows the v1 controllers, include/linux/cgroup_subsys.h.
func isController(s string) bool {
	switch s {
	case "cpuset", "cpu", "cpuacct", "blkio", "memory", "devices", "freezer", "net_cls",
		"perf_event", "net_prio", "hugetlb", "pids", "rdma", "misc", "dmem", "debug":
		return true
	}
	return false
}

// hierarchy looks at the top of a mount. Only the root cgroup lacks cgroup.type
// on v2, and only it has release_agent on v1.
func (h *Host) hierarchy(m procpid.Mount) Hierarchy {
	hi := Hierarchy{Version: 1, MountPoint: m.Point.String(), Root: m.Root.String()}
	if string(m.FSType) == "cgroup" {
		hi.Controllers, hi.Name = parseSuperOptions(string(m.Options))
		_, err := h.FS.Stat(hi.MountPoint + "/release_agent")
		hi.nested = err != nil
		return hi
	}
	hi.Version = 2
	_, err := h.FS.Stat(hi.MountPoint + "/cgroup.type")
	hi.nested = err == nil
	if b, err := h.FS.Append(nil, hi.MountPoint+"/cgroup.controllers"); err == nil {
		hi.Controllers = append([]string{}, strings.Fields(string(b))...)
	}
	return hi
}

// layout classifies the hierarchies and says why. A v1 hierarchy without a
// controller next to cgroup2 is the name=systemd that hosts mount for old
// containers: it makes no hybrid.
func layout(hierarchies []Hierarchy) (Layout, string) {
	var unified string
	var controllers, named []string
	for _, hi := range hierarchies {
		switch {
		case hi.Version == 2:
			unified = hi.MountPoint
		case len(hi.Controllers) > 0:
			controllers = append(controllers, hi.Controllers...)
		default:
			named = append(named, "name="+hi.Name)
		}
	}
	v1 := strings.Join(controllers, ", ")
	switch {
	case unified == "" && v1 == "":
		return V1, "no cgroup2 mount and no v1 controller, only " + strings.Join(named, ", ")
	case unified == "":
		return V1, "no cgroup2 mount; v1 controllers " + v1
	case v1 != "":
		return Hybrid, "cgroup2 at " + unified + " and v1 controllers " + v1
	case len(named) > 0:
		return V2, "cgroup2 at " + unified + "; v1 has no controller, only " + strings.Join(named, ", ")
	}
	return V2, "cgroup2 at " + unified + "; no v1 mount"
}
