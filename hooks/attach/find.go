package attach

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/container"
	"linuxcontainers.org/lxcfs/fs/mount"
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
	// Stale: there are lxcfs mounts of another filesystem below its /proc or /sys.
	Stale bool

	depth int  // of the pid namespace; 1 is the host's
	init  bool // PID is the init of its pid namespace
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

// Scan finds the mount namespaces other than the host's, outer containers
// first: what is mounted in one may propagate to those below.
func Scan(r Resolver, tree string) ([]Found, error) {
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
		f := Found{PID: pid, depth: len(ids), init: len(ids) > 1 && ids[len(ids)-1] == "1"}
		if old, ok := byNamespace[inode]; !ok || f.before(old) {
			byNamespace[inode] = f
		}
	}
	return describe(byNamespace, r, tree), nil
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
	return cmp.Or(cmp.Compare(f.depth, o.depth), cmp.Compare(f.PID, o.PID))
}

// describe resolves and sorts; processes that end meanwhile are left out.
func describe(byNamespace map[string]Found, r Resolver, tree string) []Found {
	own, _ := treeDevice(tree) // without one, every lxcfs mount is stale
	var all []Found
	for _, f := range byNamespace {
		d, err := r.Resolve(uint32(f.PID))
		if err != nil {
			continue
		}
		f.Container = d.Container
		f.Stale = stale(f.PID, own)
		all = append(all, f)
	}
	slices.SortFunc(all, Found.compare)
	return all
}

func stale(pid int, own device) bool {
	content, err := hostfile.OS{}.Append(nil, fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil || !strings.Contains(string(content), mount.FSType) {
		return false
	}
	table, err := mount.ParseTable(content)
	return err == nil && slices.ContainsFunc(table.Reachable().Ours(), func(e mount.Entry) bool {
		return deviceOf(e) != own && kernelFile(e.MountPoint)
	})
}

// Select picks what a name means: a process id; RUNTIME/NAME, NAME, or the
// first eight or more digits of an id; a unit. More than one mount namespace is
// returned only for a unit or a container without a pid namespace of its own.
func Select(all []Found, name string) ([]Found, error) {
	const maxPID = 1 << 22 // PID_MAX_LIMIT, include/linux/threads.h; longer is an id
	if pid, err := strconv.Atoi(name); err == nil && pid <= maxPID && strconv.Itoa(pid) == name {
		return []Found{{PID: pid}}, nil
	}
	var matches []Found
	for _, f := range all {
		if f.Container != nil && named(f.Container, name) {
			matches = append(matches, f)
		}
	}
	if len(matches) == 0 {
		return nil, fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	first := matches[0].Container
	for _, f := range matches {
		if f.Container.Key != first.Key {
			return nil, fmt.Errorf("%s: %w: %s in %s and %s in %s", name, ErrAmbiguous,
				matches[0].Name(), first.CgroupPath, f.Name(), f.Container.CgroupPath)
		}
	}
	if first.InitPID != 0 { // its services' own namespaces get it by propagation
		return []Found{{PID: int(first.InitPID), Container: first}}, nil
	}
	return matches, nil
}

func named(c *container.Container, name string) bool {
	const digits = 8
	if name == "" {
		return false
	}
	if unit := c.Unit.Name; name == unit || name+".service" == unit {
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
