package systree

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// system is where the trees of CPUs and nodes are.
type system struct {
	walker *walker
	viewer Viewer
}

func (s *system) eyes(tid uint32) eyes { return &systemEyes{system: s, tid: tid} }

// systemEyes see the CPUs and nodes of a caller. What they need is looked up
// when they need it: most of a tree is the same for everybody.
type systemEyes struct {
	*system
	tid uint32

	looked    bool
	contained bool // false: all is the host's
	view      view.View
	nodes     cgroup.CPUSet // visible; nil: not yet known
}

// look gathers the caller's CPUs, and returns false for the host.
func (e *systemEyes) look(path []string) bool {
	if !e.looked {
		e.looked = true
		name := System + "/" + strings.Join(path, "/")
		e.contained = e.viewer(name, e.tid, view.NeedCPUs|view.NeedNodes, &e.view)
	}
	return e.contained
}

// sees implements [eyes].
func (e *systemEyes) sees(path []string, i info) bool {
	switch i.kind() {
	case unix.S_IFREG, unix.S_IFDIR:
		return i.readable() && e.seesNames(path)
	case unix.S_IFLNK:
		return e.seesNames(path) && e.seesTarget(path)
	}
	return false
}

// seesTarget says whether a symlink leads to something that the caller sees.
// One that leads to another symlink does not.
func (e *systemEyes) seesTarget(path []string) bool {
	if strings.HasPrefix(path[len(path)-1], "memory") {
		return false // of nodeN, by the hundred: they lead out
	}
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

// seesNames says whether no component of a path names a CPU or a node that the
// caller does not have.
func (e *systemEyes) seesNames(path []string) bool {
	for n, name := range path {
		if cpu, ok := numbered(name, "cpu"); ok && e.look(path) && !e.view.CPUs.Has(cpu) {
			return false
		}
		if node, ok := numbered(name, "node"); ok && e.look(path) && !e.visibleNodes().Has(node) {
			return false
		}
		if _, ok := numbered(name, "policy"); ok && e.look(path) && !e.seesPolicy(path[:n+1]) {
			return false
		}
	}
	return true
}

// numbered returns the number in a name such as "cpu12".
func numbered(name, prefix string) (int, bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok || digits == "" || digits[0] < '0' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// seesPolicy says whether a directory of cpufreq is about a visible CPU.
func (e *systemEyes) seesPolicy(path []string) bool {
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

// visibleNodes are the nodes that the container may allocate from, and those of
// its CPUs.
func (e *systemEyes) visibleNodes() cgroup.CPUSet {
	if e.nodes != nil {
		return e.nodes
	}
	e.nodes = cgroup.CPUSet{}
	for _, node := range e.hostNodes() {
		if e.view.Nodes == nil || e.view.Nodes.Has(node) || e.hasCPUs(node) {
			e.nodes = union(e.nodes, node)
		}
	}
	return e.nodes
}

// union returns s with one more number.
func union(s cgroup.CPUSet, n int) cgroup.CPUSet {
	one := cgroup.CPUSetOf(n)
	for i := range min(len(s), len(one)) {
		one[i] |= s[i]
	}
	if len(s) > len(one) {
		one = append(one, s[len(one):]...)
	}
	return one
}

// hasCPUs says whether a node has a visible CPU.
func (e *systemEyes) hasCPUs(node int) bool {
	text, err := e.walker.read(nil, []string{nodeTop, "node" + strconv.Itoa(node), "cpulist"})
	if err != nil {
		return false
	}
	cpus, err := cgroup.ParseCPUList(text)
	return err == nil && !cpus.And(e.view.CPUs).Empty()
}

// hostNodes returns the numbers of the host's nodes.
func (s *system) hostNodes() []int {
	text, err := s.walker.read(nil, []string{nodeTop, "online"})
	if err != nil {
		return nil
	}
	online, err := cgroup.ParseCPUList(text)
	if err != nil {
		return nil
	}
	var nodes []int
	for n := range online.All() {
		nodes = append(nodes, n)
	}
	return nodes
}
