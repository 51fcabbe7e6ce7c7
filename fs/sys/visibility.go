package sys

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// system is where the trees of CPUs, nodes and blocks of memory are.
type system struct {
	walker *walker
	viewer vfs.Viewer
	blocks blocks
}

func (s *system) visibility(c vfs.Caller) visibility {
	return &systemVisibility{system: s, looker: looker{viewer: s.viewer, caller: c}}
}

// systemVisibility shows the CPUs and nodes of a caller. What they need is looked up
// when they need it: most of a tree is the same for everybody.
type systemVisibility struct {
	*system
	looker

	looked    bool
	contained bool // false: all is the host's
	view      view.View

	blocksKnown, allBlocks bool
	seen                   map[int]bool // blocks of memory, unless all
}

// served returns the name of a path in the served tree.
func (s *system) served(path []string) string { return systemDir + "/" + strings.Join(path, "/") }

// look gathers the caller's CPUs, and returns false for the host.
func (e *systemVisibility) look(path []string) bool {
	if !e.looked {
		e.looked = true
		e.contained = e.gather(e.served(path), view.NeedCPUs|view.NeedNodes, &e.view)
	}
	return e.contained
}

// sees implements [visibility].
func (e *systemVisibility) sees(path []string, i info) (info, bool) {
	switch i.kind() {
	case unix.S_IFREG, unix.S_IFDIR:
		return i, i.readable() && e.seesNames(path) && (!i.madeUp || e.offline(path))
	case unix.S_IFLNK:
		return i, e.seesNames(path) && e.seesTarget(path)
	}
	return i, false
}

// seesTarget says whether a symlink leads to something that the caller sees.
// One that leads to another symlink does not.
func (e *systemVisibility) seesTarget(path []string) bool {
	text, err := e.walker.readlink(path)
	if err != nil {
		return false
	}
	to, ok := within(path, text)
	if !ok {
		return false
	}
	i, err := e.walker.stat(to)
	return err == nil && i.kind() != unix.S_IFLNK && i.readable() && e.seesNames(to)
}

// seesNames says whether no component of a path names a node or a block of memory
// that the caller does not have, or what an offline CPU lacks.
func (e *systemVisibility) seesNames(path []string) bool {
	if len(path) > 2 && e.offline(path) && !offlineHas(path[2]) {
		return false
	}
	for n, name := range path {
		if node, ok := numbered(name, "node"); ok && e.look(path) && !e.seesNode(node) {
			return false
		}
		if block, ok := numbered(name, "memory"); ok && !e.seesBlock(block) {
			return false
		}
		if _, ok := numbered(name, "policy"); ok && e.look(path) && !e.seesPolicy(path[:n+1]) {
			return false
		}
	}
	return true
}

// offline says whether a path is, or is below, the directory of a CPU that the
// caller does not have. It is there, as that of each present CPU is, and shows
// what the kernel shows of a CPU that was never online since boot.
func (e *systemVisibility) offline(path []string) bool {
	if path[0] != cpuTop || len(path) < 2 {
		return false
	}
	cpu, ok := numbered(path[1], "cpu")
	return ok && e.look(path) && !e.view.CPUs.Has(cpu)
}

// offlineHas says whether a name is in the directory of an offline CPU: what the
// kernel makes when it registers a present CPU (drivers/base/cpu.c and node.c,
// kernel/cpu.c; arch/s390/kernel/smp.c) and does not take away when it goes
// offline, as it does topology and cache. cpufreq is a symlink that each CPU of
// a policy has. All else tells what the CPU does for others (cpuidle, say).
func offlineHas(name string) bool {
	switch name {
	case onlineFile, "uevent", hotplugDir, "power", "cpufreq", "address", "configure":
		return true
	}
	_, ok := numbered(name, "node")
	return ok
}

// hotplugDir has the state of a CPU among those of kernel/cpu.c.
const hotplugDir = "hotplug"

// numbered returns the number in a name such as "cpu12".
func numbered(name, prefix string) (int, bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok || digits == "" || digits[0] < '0' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// seesPolicy says whether a directory of cpufreq is about a visible CPU. The kernel
// makes one when the first CPU of the policy is online.
func (e *systemVisibility) seesPolicy(path []string) bool {
	text, err := e.walker.read(nil, append(path[:len(path):len(path)], "related_cpus"))
	if err != nil {
		return false
	}
	for word := range strings.FieldsSeq(string(text)) {
		if cpu, err := strconv.Atoi(word); err == nil && e.view.CPUs.Has(cpu) {
			return true
		}
	}
	return false
}

// seesNode says whether a node is one that the container may allocate from, or
// has a visible CPU. One of which that is not known stays hidden.
func (e *systemVisibility) seesNode(node int) bool {
	if e.view.Nodes == nil || e.view.Nodes.Has(node) {
		return true
	}
	has, err := e.hasCPUs(node)
	return err == nil && has
}

// hasCPUs says whether a node has a visible CPU.
func (e *systemVisibility) hasCPUs(node int) (bool, error) {
	cpus, err := e.list([]string{nodeTop, "node" + strconv.Itoa(node), "cpulist"})
	return err == nil && !cpus.And(e.view.CPUs).Empty(), err
}

// hostNodes returns the numbers of the host's nodes.
func (s *system) hostNodes() ([]int, error) {
	online, err := s.list([]string{nodeTop, "online"})
	return slices.Collect(online.All()), err
}

// list returns the list that a file of the host is.
func (s *system) list(path []string) (cgroup.CPUSet, error) {
	text, err := s.walker.read(nil, path)
	if err != nil {
		return nil, err
	}
	set, err := cgroup.ParseCPUList(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.walker.name(path), err)
	}
	return set, nil
}
