package attach

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/units/mount"
)

// Errors of names, wrapped.
var (
	// ErrNotFound: no container that runs has the name.
	ErrNotFound = errors.New("no such container")
	// ErrAmbiguous: more than one has it.
	ErrAmbiguous = errors.New("the name is ambiguous")
)

// Found is a mount namespace other than the host's.
type Found struct {
	// PID is its init, or another process in it.
	PID int
	// Container is what it belongs to; nil when that is not known.
	Container *container.Container
	// Top is the cgroup of the top-level container that it belongs to or is nested
	// in ([container.Decision.Top]): what is bounded is bounded for each of these.
	Top string

	namespace string // "mnt:[4026531841]"
	depth     int    // of the pid namespace; 1 is the host's
	init      bool   // PID is the init of its pid namespace
}

// Known says that it is a runtime's container, by the name of a cgroup that is to be believed.
func (f Found) Known() bool {
	return f.Container != nil && f.Container.Kind != container.Unit && f.Container.Runtime != ""
}

// Name is what messages call it, "lxc/c1"; "" when that is not known.
func (f Found) Name() string {
	if f.Container == nil || f.Container.Name == "" {
		return ""
	}
	return f.Container.Runtime + "/" + f.Container.Name
}

// Resolver says what container a process belongs to; *[container.Resolver] does.
type Resolver interface {
	Resolve(tid uint32) (container.Decision, error)
}

// Scan finds the mount namespaces other than the host's, those of known runtimes'
// containers first, and outer ones before those in them: what is mounted in one may
// propagate to those below.
func Scan(r Resolver) ([]Found, error) {
	host, err := hostNamespaces()
	if err != nil {
		return nil, err
	}
	pids, err := processes()
	if err != nil {
		return nil, err
	}
	byNamespace := make(map[string]Found)
	for _, pid := range pids {
		inode, err := os.Readlink(mountNamespace(pid))
		if err != nil || slices.Contains(host, inode) { // it ended, or is a thread of the kernel
			continue
		}
		ids, err := namespaceIDs(pid)
		if err != nil {
			continue
		}
		f := Found{PID: pid, namespace: inode, depth: len(ids), init: len(ids) > 1 && ids[len(ids)-1] == 1}
		if old, ok := byNamespace[inode]; !ok || f.before(old) {
			byNamespace[inode] = f
		}
	}
	return describe(byNamespace, r), nil
}

// before: f is the better one to stand for a namespace, which others may have
// entered from outside.
func (f Found) before(o Found) bool {
	if f.init != o.init {
		return f.init
	}
	return f.compare(o) < 0
}

// compare is the order in which namespaces are worked on.
func (f Found) compare(o Found) int {
	if f.Known() != o.Known() {
		if f.Known() {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(f.depth, o.depth), cmp.Compare(f.PID, o.PID))
}

// describe resolves and sorts; processes that end meanwhile are left out.
func describe(byNamespace map[string]Found, r Resolver) []Found {
	var all []Found
	for _, f := range byNamespace {
		d, err := r.Resolve(uint32(f.PID))
		if err != nil {
			continue
		}
		f.Container, f.Top = d.Container, d.Top
		all = append(all, f)
	}
	slices.SortFunc(all, Found.compare)
	return all
}

// Stale reports whether there are lxcfs mounts of another filesystem than the tree
// below the /proc or /sys of the namespace.
func (f Found) Stale(tree string) bool {
	own, _ := treeDevice(tree) // without one, every lxcfs mount is stale
	content, err := hostfile.OS{}.Append(nil, fmt.Sprintf("/proc/%d/mountinfo", f.PID))
	if err != nil || !strings.Contains(string(content), mount.FSType) {
		return false
	}
	table, err := mount.ParseTable(content)
	return err == nil && slices.ContainsFunc(table.Reachable().Ours(), func(e mount.Entry) bool {
		return deviceOf(e) != own && kernelFile(e.MountPoint)
	})
}

// Names picks what names mean.
type Names struct {
	// All is what there is, as [Scan] found it.
	All []Found
	// MainPID says which is the main process of a unit, 0 if that is not known. It
	// must come from the service manager: whoever runs in the unit chooses names and
	// makes namespaces.
	MainPID func(unit string) int
}

// Select picks what a name means: a process id; RUNTIME/NAME, NAME, or the
// first eight or more digits of an id; a unit. More than one mount namespace is
// returned only for a unit or a container without a pid namespace of its own.
//
// A unit means those of its processes that are in no pid namespace of their own;
// if there is none, the namespace of its main process. Other pid namespaces in it
// may be anybody's, and are named by a process id.
func (n Names) Select(name string) ([]Found, error) {
	const maxPID = 1 << 22 // PID_MAX_LIMIT, include/linux/threads.h; longer is an id
	if pid, err := strconv.Atoi(name); err == nil && pid <= maxPID && strconv.Itoa(pid) == name {
		return []Found{{PID: pid}}, nil
	}
	var matches []Found
	for _, f := range n.All {
		if f.Container != nil && named(f.Container, name) {
			matches = append(matches, f)
		}
	}
	if len(matches) == 0 {
		return nil, n.notFound(name)
	}
	if own := n.ofUnit(matches, name); own != nil {
		return own, nil
	}
	first := matches[0].Container
	for _, f := range matches {
		if f.Container.Key != first.Key {
			return nil, fmt.Errorf("%s: %w: %s and %s; give a process id", name, ErrAmbiguous, matches[0].where(), f.where())
		}
	}
	if first.InitPID != 0 { // its services' own namespaces get it by propagation
		return []Found{{PID: int(first.InitPID), Container: first}}, nil
	}
	return matches, nil
}

// ofUnit picks what is the unit's own, where the name is that of a unit.
func (n Names) ofUnit(matches []Found, name string) []Found {
	var own []Found
	unit := ""
	for _, f := range matches {
		c := f.Container
		if !isUnit(c, name) {
			return nil
		}
		unit = c.Unit.Name
		if c.Kind == container.Unit {
			own = append(own, f)
		}
	}
	if len(own) > 0 || len(matches) == 1 || n.MainPID == nil {
		return own
	}
	inode, err := os.Readlink(mountNamespace(n.MainPID(unit)))
	if err != nil {
		return nil
	}
	for _, f := range matches {
		if f.namespace == inode {
			return []Found{f}
		}
	}
	return nil
}

// where says what a message tells it apart by.
func (f Found) where() string {
	return fmt.Sprintf("%s (process %d) in %s", cmp.Or(f.Name(), "one without a name"), f.PID, f.Container.CgroupPath)
}

// notFound says how to find what a name may have meant. Names that are docker's and
// podman's own are known to their daemons alone, and who claims a name is not asked.
func (n Names) notFound(name string) error {
	bare := name[strings.IndexByte(name, '/')+1:]
	for _, f := range n.All {
		if c := f.Container; c != nil && c.Claimed != "" && bare != "" &&
			(name == c.Claimed || strings.HasPrefix(c.Claimed[strings.IndexByte(c.Claimed, '/')+1:], bare)) {
			return fmt.Errorf("%s: %w: process %d only claims to be %s; if it is meant, give its process id",
				name, ErrNotFound, f.PID, c.Claimed)
		}
	}
	return fmt.Errorf("%s: %w; for docker and podman, give the id (docker inspect -f '{{.Id}}' NAME), for any, a process id",
		name, ErrNotFound)
}

func isUnit(c *container.Container, name string) bool {
	return name != "" && (name == c.Unit.Name || name+".service" == c.Unit.Name)
}

func named(c *container.Container, name string) bool {
	const digits = 8
	if name == "" {
		return false
	}
	if isUnit(c, name) {
		return true
	}
	if c.Name == "" { // what its cgroup claims to be names nothing
		return false
	}
	if runtime, rest, ok := strings.Cut(name, "/"); ok && runtime == c.Runtime {
		name = rest
	}
	if c.Kind == container.Application {
		return len(name) >= digits && strings.HasPrefix(c.Name, name)
	}
	return name == c.Name
}
