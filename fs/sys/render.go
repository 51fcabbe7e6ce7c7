package sys

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// render implements [visibility].
func (e *systemVisibility) render(dst, text []byte, path []string) ([]byte, error) {
	edit := editorOf(path)
	if edit == nil || !e.look(path) {
		return append(dst, text...), nil
	}
	out, err := edit(e, bytes.Clone(text), path)
	if err != nil {
		return dst, err
	}
	return append(dst, out...), nil
}

// editor makes a container's version of a file, in place if it likes.
type editor func(e *systemVisibility, text []byte, path []string) ([]byte, error)

// editorOf returns how a file is edited, nil for one that passes through. Files
// of one name have one format wherever they are
// (Documentation/ABI/testing/sysfs-devices-system-cpu, stable/sysfs-devices-node).
//
// What the kernel fixes at boot stays the host's: possible, present, enabled,
// isolated and nohz_full have CPUs that are offline, and so have the lists of
// cpufreq that are about hardware (related_cpus, freqdomain_cpus).
func editorOf(path []string) editor {
	name := path[len(path)-1]
	if path[0] == cpuTop && len(path) == 2 {
		return fileEditor(name)
	}
	if path[0] == nodeTop && len(path) == 2 {
		switch name {
		case "has_cpu":
			return (*systemVisibility).nodesWithCPUs
		case "online":
			return (*systemVisibility).nodeList
		}
		if strings.HasPrefix(name, "has_") { // memory of some kind
			return (*systemVisibility).nodesWithMemory
		}
		return nil
	}
	switch name {
	case "cpulist", "core_cpus_list", "core_siblings_list", "thread_siblings_list", "die_cpus_list", "package_cpus_list",
		"cluster_cpus_list", "book_siblings_list", "drawer_siblings_list", "shared_cpu_list":
		return (*systemVisibility).cpuList
	case "cpumap", "core_cpus", "core_siblings", "thread_siblings", "die_cpus", "package_cpus",
		"cluster_cpus", "book_siblings", "drawer_siblings", "shared_cpu_map":
		return (*systemVisibility).cpuMap
	case "affected_cpus":
		return (*systemVisibility).cpuWords
	case onlineFile:
		return (*systemVisibility).zeroOffline // 1: online
	case "active":
		if path[len(path)-2] == "smt" {
			return (*systemVisibility).smtActive
		}
	case "state", "target":
		if path[len(path)-2] == hotplugDir {
			return (*systemVisibility).zeroOffline // CPUHP_OFFLINE
		}
	case "distance":
		return (*systemVisibility).distance
	case "meminfo":
		return nodeFile(appendNodeMeminfo)
	case "vmstat", "numastat":
		return nodeFile(appendNodeCounts)
	}
	return nil
}

// fileEditor returns the editor of a file of cpu itself that the table has, too: who
// has its key is not shown another text. nil: the table has none.
func fileEditor(name string) editor {
	files := Files()
	i := slices.IndexFunc(files, func(f view.File) bool { return f.Path == systemDir+"/"+cpuTop+"/"+name })
	if i < 0 {
		return nil
	}
	return func(e *systemVisibility, text []byte, path []string) ([]byte, error) {
		var v view.View
		if !e.gather(e.served(path), files[i].Needs, &v) {
			return text, nil
		}
		return files[i].Append(nil, text, &v)
	}
}

// zeroOffline makes the number of a CPU that the caller does not have 0.
func (e *systemVisibility) zeroOffline(text []byte, path []string) ([]byte, error) {
	if e.offline(path) {
		return []byte("0\n"), nil
	}
	return text, nil
}

// smtActive makes cpu/smt/active: 1 while two threads of a core are online.
func (e *systemVisibility) smtActive(text []byte, _ []string) ([]byte, error) {
	for cpu := range e.view.CPUs.All() {
		threads, err := e.list([]string{cpuTop, "cpu" + strconv.Itoa(cpu), "topology", "thread_siblings_list"})
		if err != nil {
			return nil, err
		}
		if threads.And(e.view.CPUs).Count() > 1 {
			return text, nil
		}
	}
	return []byte("0\n"), nil
}

// cpuList keeps the visible CPUs of a CPU list ("0-3,8").
func (e *systemVisibility) cpuList(text []byte, _ []string) ([]byte, error) {
	return intersect(text, e.view.CPUs)
}

// nodeList keeps the visible nodes of a list.
func (e *systemVisibility) nodeList(text []byte, _ []string) ([]byte, error) {
	return filter(text, func(node int) (bool, error) { return e.seesNode(node), nil })
}

// nodesWithMemory keeps the nodes from which the container may allocate.
func (e *systemVisibility) nodesWithMemory(text []byte, _ []string) ([]byte, error) {
	if e.view.Nodes == nil {
		return text, nil
	}
	return intersect(text, e.view.Nodes)
}

func intersect(text []byte, with cgroup.CPUSet) ([]byte, error) {
	set, err := cgroup.ParseCPUList(text)
	if err != nil {
		return nil, err
	}
	return append(set.And(with).AppendList(nil), '\n'), nil
}

// nodesWithCPUs keeps the nodes that have a visible CPU.
func (e *systemVisibility) nodesWithCPUs(text []byte, _ []string) ([]byte, error) {
	return filter(text, e.hasCPUs)
}

// filter keeps the nodes of a list that a function wants.
func filter(text []byte, want func(node int) (bool, error)) ([]byte, error) {
	set, err := cgroup.ParseCPUList(text)
	if err != nil {
		return nil, err
	}
	var kept []int
	for n := range set.All() {
		wanted, err := want(n)
		if err != nil {
			return nil, err
		}
		if wanted {
			kept = append(kept, n)
		}
	}
	return append(cgroup.CPUSetOf(kept...).AppendList(nil), '\n'), nil
}

// cpuMap clears the bits of CPUs that are not visible, in groups of 32, the
// highest first:
//
//	0000ffff,00000000,ffffffff
func (e *systemVisibility) cpuMap(text []byte, _ []string) ([]byte, error) {
	line, ok := bytes.CutSuffix(text, []byte("\n"))
	if !ok {
		return nil, fmt.Errorf("%w: %q", cgroup.ErrFormat, text)
	}
	groups := bytes.Split(line, []byte(","))
	out := make([]byte, 0, len(text))
	for i, g := range groups {
		bits, err := strconv.ParseUint(string(g), 16, 32)
		if err != nil || len(g) > 8 {
			return nil, fmt.Errorf("%w: %q", cgroup.ErrFormat, text)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "%0*x", len(g), uint32(bits)&group32(e.view.CPUs, len(groups)-1-i))
	}
	return append(out, '\n'), nil
}

// group32 returns the CPUs 32n to 32n+31 of a set.
func group32(s cgroup.CPUSet, n int) uint32 {
	if n/2 >= len(s) {
		return 0
	}
	return uint32(s[n/2] >> (n % 2 * 32))
}

// cpuWords keeps the visible CPUs of "0 1 2".
func (e *systemVisibility) cpuWords(text []byte, _ []string) ([]byte, error) {
	var kept []string
	for word := range strings.FieldsSeq(string(text)) {
		cpu, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("%w: %q", cgroup.ErrFormat, text)
		}
		if e.view.CPUs.Has(cpu) {
			kept = append(kept, word)
		}
	}
	return append([]byte(strings.Join(kept, " ")), '\n'), nil
}

// distance keeps the columns of visible nodes: it has one for each online node,
// ascending.
//
//	10 21
func (e *systemVisibility) distance(text []byte, _ []string) ([]byte, error) {
	columns := strings.Fields(string(text))
	nodes, err := e.hostNodes()
	if err != nil {
		return nil, err
	}
	if len(columns) != len(nodes) {
		return nil, fmt.Errorf("%w: %d distances of %d nodes", cgroup.ErrFormat, len(columns), len(nodes))
	}
	var kept []string
	for i, n := range nodes {
		if e.seesNode(n) {
			kept = append(kept, columns[i])
		}
	}
	return append([]byte(strings.Join(kept, " ")), '\n'), nil
}
