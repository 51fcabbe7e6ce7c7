package sys

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// machine makes a tree of two nodes with four CPUs and eight blocks of memory
// each, the second block offline, in the formats of Linux 6.12, and with what must
// not be seen. CPU 0 can't be taken offline, and the machine has two CPUs more than
// the kernel was booted for. It returns what systemDir is there.
func machine(t testing.TB) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "sys/devices/system")
	put := func(mode os.FileMode, name, content string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		os.Remove(path) // the last one's mode may forbid to write it
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	link := func(name, target string) {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	for cpu := range 8 {
		dir := fmt.Sprintf("cpu/cpu%d/", cpu)
		node, pair := cpu/4, cpu&^1
		if cpu > 0 {
			put(0o644, dir+"online", "1\n")
		}
		put(0o444, dir+"hotplug/state", "236\n")
		put(0o644, dir+"hotplug/target", "236\n")
		put(0o644, dir+"hotplug/fail", "-1\n")
		put(0o444, dir+"cpuidle/state0/usage", "4711\n")
		put(0o400, dir+"crash_notes", "secret\n")
		put(0o444, dir+"topology/core_id", fmt.Sprintf("%d\n", pair/2))
		put(0o444, dir+"topology/physical_package_id", fmt.Sprintf("%d\n", node))
		put(0o444, dir+"topology/thread_siblings", fmt.Sprintf("00000000,%08x\n", 3<<pair))
		put(0o444, dir+"topology/thread_siblings_list", fmt.Sprintf("%d-%d\n", pair, pair+1))
		put(0o444, dir+"topology/core_siblings_list", fmt.Sprintf("%d-%d\n", node*4, node*4+3))
		put(0o444, dir+"cache/index0/shared_cpu_map", fmt.Sprintf("%02x\n", 3<<pair))
		put(0o444, dir+"cache/index0/size", "32K\n")
		put(0o444, fmt.Sprintf("cpu/cpufreq/policy%d/related_cpus", pair), fmt.Sprintf("%d %d\n", pair, pair+1))
		put(0o444, fmt.Sprintf("cpu/cpufreq/policy%d/affected_cpus", pair), fmt.Sprintf("%d %d\n", pair, pair+1))
		link(fmt.Sprintf("cpu/cpu%d/cpufreq", cpu), fmt.Sprintf("../cpufreq/policy%d", pair))
		link(fmt.Sprintf("cpu/cpu%d/node%d", cpu, node), fmt.Sprintf("../../node/node%d", node))
		link(fmt.Sprintf("cpu/cpu%d/subsystem", cpu), "../../../../bus/cpu")
	}
	for node := range 2 {
		dir := fmt.Sprintf("node/node%d/", node)
		put(0o444, dir+"cpulist", fmt.Sprintf("%d-%d\n", node*4, node*4+3))
		put(0o444, dir+"cpumap", fmt.Sprintf("%02x\n", 15<<(node*4)))
		put(0o444, dir+"distance", []string{"10 21\n", "21 10\n"}[node])
		put(0o444, dir+"meminfo", nodeMeminfo(node))
		put(0o444, dir+"numastat", "numa_hit 9795466\nlocal_node 9795466\n")
		put(0o444, dir+"vmstat", "nr_free_pages 750000\nnuma_hit 9795466\nnr_kernel_stack 1552\nnr_file_pages 175000\n")
		put(0o200, dir+"compact", "")
		for block := node * 8; block < node*8+8; block++ {
			name := fmt.Sprintf("memory/memory%d/", block)
			put(0o644, name+"state", map[bool]string{true: "offline\n", false: "online\n"}[block == 1])
			put(0o444, name+"phys_index", fmt.Sprintf("%08x\n", block))
			link(fmt.Sprintf("%snode%d", name, node), fmt.Sprintf("../../node/node%d", node))
			link(fmt.Sprintf("%smemory%d", dir, block), fmt.Sprintf("../../memory/memory%d", block))
		}
		for cpu := node * 4; cpu < node*4+4; cpu++ {
			link(fmt.Sprintf("%scpu%d", dir, cpu), fmt.Sprintf("../../cpu/cpu%d", cpu))
		}
	}
	for _, f := range []string{"cpu/online", "cpu/possible", "cpu/present", "cpu/enabled"} {
		put(0o444, f, "0-7\n")
	}
	put(0o444, "cpu/offline", ",8-9\n")
	put(0o444, "cpu/isolated", "6-7\n")
	put(0o444, "cpu/nohz_full", "  (null)\n")
	put(0o444, "cpu/kernel_max", "8191\n")
	put(0o444, "cpu/smt/active", "1\n")
	put(0o444, "node/online", "0-1\n")
	put(0o444, "node/possible", "0-1\n")
	put(0o444, "node/has_cpu", "0-1\n")
	put(0o444, "node/has_memory", "0-1\n")
	put(0o444, "memory/block_size_bytes", "20000000\n") // 512 MiB
	put(0o444, "memory/uevent", "")
	put(0o444, "secret", "secret\n")
	put(0o444, "cpu/private/secret", "secret\n")
	if err := os.Chmod(filepath.Join(root, "cpu/private"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"cpu/up": "../secret", "cpu/far": "../../../../etc", "cpu/abs": "/etc", "cpu/self": "../../system/cpu",
		"cpu/chain": "cpu0/node0", "cpu/through": "cpu0/node0/cpulist", "cpu/gone": "cpu9", "cpu/hole": "private/secret",
		"cpu/empty": ".", "cpu/root": "..",
	} {
		link(name, target)
	}
	return root
}

func nodeMeminfo(node int) string {
	var b strings.Builder
	for _, l := range []struct {
		name  string
		value int
	}{{"MemTotal", 4000000}, {"MemFree", 3000000}, {"MemUsed", 1000000}, {"FilePages", 700000}, {"Bounce", 0}} {
		fmt.Fprintf(&b, "Node %d %-15s %8d kB\n", node, l.name+":", l.value)
	}
	fmt.Fprintf(&b, "Node %d HugePages_Total: %5d\n", node, 2)
	return b.String()
}

// Callers: a container with CPUs 1, 4 and 5 and memory of node 0, one with CPU 2
// and the memory of node 1, one of which nothing can be said now, and the host.
const (
	small = 10
	apart = 11
	hung  = 12
	host  = 1
)

func viewer(_ string, c vfs.Caller, needs view.Needs, v *view.View) (bool, error) {
	switch c.TID {
	case small:
		v.CPUs, v.Nodes = cgroup.CPUSetOf(1, 4, 5), cgroup.CPUSetOf(0)
	case apart:
		v.CPUs, v.Nodes = cgroup.CPUSetOf(2), cgroup.CPUSetOf(1)
	case hung:
		return false, unix.EBUSY
	default:
		return false, nil
	}
	v.Possible = cgroup.CPUSetOf(0, 1, 2, 3, 4, 5, 6, 7)
	if needs&view.NeedMemory != 0 {
		v.PageSize = 4096
		v.Memory = cgroup.Memory{Limit: cgroup.Limit{Value: 1 << 30}, Usage: 1 << 28, Stat: cgroup.MemoryStat{File: 1 << 27, KernelStack: 1 << 20}}
	}
	if needs&view.NeedHostMemory != 0 {
		v.Host.Total = 8000000 << 10
		v.Host.Nodes = []view.HostNode{{Number: 0, Size: 4000000 << 10}, {Number: 1, Size: 4000000 << 10}}
	}
	return true, nil
}

// mounted is the trees as package fs serves them.
type mounted map[string]vfs.Tree

func mount(t testing.TB, root string) mounted {
	t.Helper()
	m := make(mounted)
	for _, sub := range systemTrees(root, viewer) {
		m[filepath.Base(sub.Path)] = sub.Tree
	}
	if len(m) != 3 {
		t.Fatalf("%d trees, want 3", len(m))
	}
	return m
}

// lookup walks to a path.
func (m mounted) lookup(tid uint32, path string) (vfs.Tree, vfs.Key, vfs.Attr, error) {
	top, rest, _ := strings.Cut(path, "/")
	tree, key, attr := m[top], vfs.Top, vfs.Attr{}
	if rest == "" {
		return tree, key, attr, nil
	}
	var err error
	for name := range strings.SplitSeq(rest, "/") {
		if key, attr, err = tree.Lookup(vfs.Caller{TID: tid}, key, name); err != nil {
			break
		}
	}
	return tree, key, attr, err
}

// read returns what a caller reads, "" and an error where he can't.
func (m mounted) read(tid uint32, path string) (string, error) {
	tree, key, _, err := m.lookup(tid, path)
	if err != nil {
		return "", err
	}
	if err := tree.Open(vfs.Caller{TID: tid}, key, 0); err != nil {
		return "", err
	}
	text, err := tree.Append(nil, vfs.Caller{TID: tid}, key)
	return string(text), err
}

// find lists everything below a directory, as find(1) does.
func (m mounted) find(t testing.TB, tid uint32, path string) []string {
	t.Helper()
	tree, key, _, err := m.lookup(tid, path)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := tree.List(vfs.Caller{TID: tid}, key)
	if err != nil {
		t.Fatal(path, err)
	}
	var all []string
	for _, e := range entries {
		name := path + "/" + e.Name
		switch e.Mode & 0o170000 {
		case 0o040000:
			all = append(all, name+"/")
			all = append(all, m.find(t, tid, name)...)
		case 0o120000:
			tree, key, _, err := m.lookup(tid, name)
			if err != nil {
				t.Fatal(err)
			}
			target, err := tree.(vfs.Linker).Target(vfs.Caller{TID: tid}, key)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, name+" -> "+target)
		default:
			all = append(all, name)
		}
	}
	return all
}
