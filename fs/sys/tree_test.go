package sys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// A container finds the CPUs and nodes of its view, and whatever everybody may
// read, and nothing that leads elsewhere.
func TestFind(t *testing.T) {
	m := mount(t, machine(t))
	got := slices.Concat(m.find(t, apart, "cpu"), m.find(t, apart, "memory"), m.find(t, apart, "node"))
	want := strings.Fields(`
		cpu/cpu2/cache/ cpu/cpu2/cache/index0/ cpu/cpu2/cache/index0/shared_cpu_map cpu/cpu2/cache/index0/size
		cpu/cpu2/cpuidle/ cpu/cpu2/cpuidle/state0/ cpu/cpu2/cpuidle/state0/usage cpu/cpu2/topology/
		cpu/cpu2/topology/core_id cpu/cpu2/topology/core_siblings_list cpu/cpu2/topology/physical_package_id
		cpu/cpu2/topology/thread_siblings cpu/cpu2/topology/thread_siblings_list
		cpu/cpu2/cpufreq->../cpufreq/policy2 cpu/cpu3/cpufreq->../cpufreq/policy2
		cpu/cpufreq/ cpu/cpufreq/policy2/ cpu/cpufreq/policy2/affected_cpus cpu/cpufreq/policy2/related_cpus cpu/empty->.
		cpu/enabled cpu/isolated cpu/kernel_max cpu/nohz_full cpu/offline cpu/online cpu/possible cpu/present
		cpu/smt/ cpu/smt/active
		node/has_cpu node/has_memory node/node0/ node/node0/cpulist node/node0/cpumap node/node0/distance node/node0/meminfo
		node/node0/numastat node/node0/vmstat node/node1/numastat node/node1/vmstat
		node/node1/ node/node1/cpulist node/node1/cpumap node/node1/distance node/node1/meminfo node/online node/possible
		memory/block_size_bytes memory/uevent
		memory/memory8/ memory/memory8/node1->../../node/node1 memory/memory8/phys_index memory/memory8/state
		memory/memory9/ memory/memory9/node1->../../node/node1 memory/memory9/phys_index memory/memory9/state
		node/node1/memory8->../../memory/memory8 node/node1/memory9->../../memory/memory9`)
	for cpu := range 8 { // present: all; CPUs but 2 are as offline ones
		dir, link := fmt.Sprintf("cpu/cpu%d/", cpu), fmt.Sprintf("node%d", cpu/4)
		want = append(want, dir, dir+"online", dir+link+"->../../node/"+link, fmt.Sprintf("node/%s/cpu%d->../../cpu/cpu%[2]d", link, cpu),
			dir+"hotplug/", dir+"hotplug/fail", dir+"hotplug/state", dir+"hotplug/target")
	}
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], " ", "")
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	all := strings.Join(m.find(t, host, "cpu"), "\n")
	if n := strings.Count(all, "/topology/core_id"); n != 8 {
		t.Errorf("the host sees %d CPUs, want 8:\n%s", n, all)
	}
	for _, hidden := range []string{"secret", "crash_notes", "private", "subsystem"} {
		if strings.Contains(all, hidden) {
			t.Errorf("the host sees %s:\n%s", hidden, all)
		}
	}
}

func TestContent(t *testing.T) {
	m := mount(t, machine(t))
	for _, tt := range []struct{ path, small, apart, host string }{
		{"cpu/online", "1,4-5\n", "2\n", "0-7\n"},
		{"cpu/offline", "0,2-3,6-7,8-9\n", "0-1,3-7,8-9\n", ",8-9\n"},
		{"cpu/possible", "0-7\n", "0-7\n", "0-7\n"},
		{"cpu/present", "0-7\n", "0-7\n", "0-7\n"},
		{"cpu/enabled", "0-7\n", "0-7\n", "0-7\n"},
		{"cpu/isolated", "6-7\n", "6-7\n", "6-7\n"},
		{"cpu/nohz_full", "  (null)\n", "  (null)\n", "  (null)\n"},
		{"cpu/kernel_max", "8191\n", "8191\n", "8191\n"},
		{"cpu/smt/active", "1\n", "0\n", "1\n"},
		{"cpu/cpu4/topology/thread_siblings", "00000000,00000030\n", "", "00000000,00000030\n"},
		{"cpu/cpu4/topology/thread_siblings_list", "4-5\n", "", "4-5\n"},
		{"cpu/cpu1/topology/thread_siblings_list", "1\n", "", "0-1\n"},
		{"cpu/cpu1/topology/core_siblings_list", "1\n", "", "0-3\n"},
		{"cpu/cpu2/topology/core_siblings_list", "", "2\n", "0-3\n"},
		{"cpu/cpu1/cache/index0/shared_cpu_map", "02\n", "", "03\n"},
		{"cpu/cpu1/cache/index0/size", "32K\n", "", "32K\n"},
		{"cpu/cpu0/online", "0\n", "0\n", ""},
		{"cpu/cpu1/online", "1\n", "0\n", "1\n"},
		{"cpu/cpu2/online", "0\n", "1\n", "1\n"},
		{"cpu/cpu1/hotplug/state", "236\n", "0\n", "236\n"},
		{"cpu/cpu1/hotplug/target", "236\n", "0\n", "236\n"},
		{"cpu/cpu1/hotplug/fail", "-1\n", "-1\n", "-1\n"},
		{"cpu/cpu2/cpuidle/state0/usage", "", "4711\n", "4711\n"},
		{"cpu/cpufreq/policy0/affected_cpus", "1\n", "", "0 1\n"},
		{"cpu/cpufreq/policy0/related_cpus", "0 1\n", "", "0 1\n"},
		{"cpu/cpufreq/policy4/related_cpus", "4 5\n", "", "4 5\n"},
		{"cpu/cpufreq/policy6/related_cpus", "", "", "6 7\n"},
		{"node/online", "0-1\n", "0-1\n", "0-1\n"},
		{"node/possible", "0-1\n", "0-1\n", "0-1\n"},
		{"node/has_cpu", "0-1\n", "0\n", "0-1\n"},
		{"memory/block_size_bytes", "20000000\n", "20000000\n", "20000000\n"},
		{"memory/memory0/state", "online\n", "", "online\n"},
		{"memory/memory1/state", "", "", "offline\n"},
		{"memory/memory2/state", "online\n", "", "online\n"},
		{"memory/memory3/state", "", "", "online\n"},
		{"memory/memory8/phys_index", "", "00000008\n", "00000008\n"},
		{"memory/memory99/state", "", "", ""},
		{"node/has_memory", "0\n", "1\n", "0-1\n"},
		{"node/node1/numastat", "numa_hit 0\nlocal_node 0\n", "numa_hit 0\nlocal_node 0\n", "numa_hit 9795466\nlocal_node 9795466\n"},
		{"node/node0/vmstat", "nr_free_pages 196608\nnuma_hit 0\nnr_kernel_stack 1024\nnr_file_pages 32768\n",
			"nr_free_pages 0\nnuma_hit 0\nnr_kernel_stack 0\nnr_file_pages 0\n", // not a node that it may allocate from
			"nr_free_pages 750000\nnuma_hit 9795466\nnr_kernel_stack 1552\nnr_file_pages 175000\n"},
		{"node/node0/cpulist", "1\n", "2\n", "0-3\n"},
		{"node/node1/cpulist", "4-5\n", "\n", "4-7\n"},
		{"node/node1/cpumap", "30\n", "00\n", "f0\n"},
		{"node/node0/distance", "10 21\n", "10 21\n", "10 21\n"},
	} {
		for tid, want := range map[uint32]string{small: tt.small, apart: tt.apart, host: tt.host} {
			got, err := m.read(tid, tt.path)
			if got != want || (want == "") != errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s for %d: got %q, %v, want %q", tt.path, tid, got, err, want)
			}
		}
	}
}

// Columns of nodes that are not visible are left out.
func TestDistance(t *testing.T) {
	root := machine(t)
	m := mount(t, root)
	path := filepath.Join(root, "node/node1/cpulist")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("\n"), 0o644); err != nil { // node 1 has memory only
		t.Fatal(err)
	}
	if got, err := m.read(small, "node/node0/distance"); got != "10\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := m.read(small, "node/online"); got != "0\n" {
		t.Errorf("online: got %q, %v", got, err)
	}
	if got, err := m.read(small, "node/possible"); got != "0-1\n" { // getcpu(2) tells them as indices
		t.Errorf("possible: got %q, %v", got, err)
	}
	if _, _, _, err := m.lookup(small, "cpu/cpu4/node1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to a node that is not visible: %v", err)
	}
	if _, err := m.read(small, "node/node1/distance"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a node that is not visible: %v", err)
	}
}

// A file that is not in the format we know is the host's, with an error that
// says why; what is hidden stays hidden.
func TestMalformed(t *testing.T) {
	root := machine(t)
	m := mount(t, root)
	for _, tt := range []struct{ path, text string }{
		{"cpu/cpu1/cache/index0/shared_cpu_map", "no map\n"},
		{"cpu/cpu1/topology/thread_siblings_list", "0-\n"},
		{"cpu/cpufreq/policy0/affected_cpus", "0 x\n"},
		{"cpu/online", "all\n"},
		{"cpu/offline", ",,8\n"},
		{"node/node0/cpumap", "ff"},
		{"node/node0/distance", "10 21 31\n"},
		{"node/node0/meminfo", "Node 0\n"},
		{"node/has_memory", "0-\n"},
		{"node/has_cpu", "0-\n"},
		{"node/online", "-1\n"},
	} {
		path := filepath.Join(root, tt.path)
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(tt.text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := m.read(small, tt.path)
		var f *vfs.Fallback
		if got != tt.text || !errors.As(err, &f) || !errors.Is(err, cgroup.ErrFormat) || f.Path != path {
			t.Errorf("%s: got %q, %v, want the host's %q", tt.path, got, err, tt.text)
		}
		if got, err := m.read(host, tt.path); got != tt.text || err != nil {
			t.Errorf("%s on the host: got %q, %v", tt.path, got, err)
		}
		tree, key, _, err := m.lookup(small, tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := tree.Append([]byte("before:"), vfs.Caller{TID: small}, key); string(got) != "before:"+tt.text {
			t.Errorf("%s behind other bytes: got %q", tt.path, got)
		}
	}
	for _, path := range []string{"cpu/cpu0/cache/index0/shared_cpu_map", "cpu/cpu1/crash_notes"} {
		if got, err := m.read(small, path); got != "" || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %q, %v", path, got, err)
		}
	}
}

// A node of which is not known whether it has a visible CPU stays hidden.
func TestMalformedNode(t *testing.T) {
	root := machine(t)
	m := mount(t, root)
	path := filepath.Join(root, "node/node1/cpulist")
	if err := errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, []byte("4-\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := m.lookup(small, "node/node1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the node: %v", err)
	}
	if got, err := m.read(small, "node/online"); got != "0\n" || err != nil {
		t.Errorf("online: got %q, %v", got, err)
	}
	var f *vfs.Fallback
	if got, err := m.read(small, "node/has_cpu"); got != "0-1\n" || !errors.As(err, &f) {
		t.Errorf("has_cpu: got %q, %v", got, err)
	}
}

// Nobody leaves the trees: not by names, not by symlinks, not by what is not
// everybody's.
func TestEscapes(t *testing.T) {
	m := mount(t, machine(t))
	for _, path := range []string{
		"cpu/up", "cpu/far", "cpu/abs", "cpu/self", "cpu/chain", "cpu/through", "cpu/gone", "cpu/hole", "cpu/root",
		"cpu/private", "cpu/private/secret", "cpu/cpu1/crash_notes", "node/node0/compact",
		"cpu/cpu1/subsystem", "cpu/cpu0/topology", "cpu/cpu0/cache/index0/size", "cpu/cpu0/cpuidle", "cpu/cpu0/crash_notes", "cpu/cpu99", "cpu/cpu99/online", "cpu/..", "cpu/.", "cpu/cpu1/..", "cpu/cpu1/../../secret",
		"cpu/cpu1/\x00", "node/..", "cpu/cpu1/node0/cpulist", "cpu/empty/online",
	} {
		for _, tid := range []uint32{small, host} {
			if tid == host && strings.HasPrefix(path, "cpu/cpu0/") && !strings.HasSuffix(path, "notes") {
				continue
			}
			if _, key, attr, err := m.lookup(tid, path); err == nil {
				t.Errorf("%s for %d: found as %d, %+v", path, tid, key, attr)
			}
		}
	}
	tree := m["cpu"]
	for _, name := range []string{"../secret", "/etc/passwd", "cpu1/online", "", ".."} {
		if _, _, err := tree.Lookup(vfs.Caller{TID: host}, vfs.Top, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A directory that becomes a symlink behind our back is not followed.
func TestReplacedBySymlink(t *testing.T) {
	root := machine(t)
	m := mount(t, root)
	tree, key, _, err := m.lookup(small, "cpu/cpu1/topology/core_id")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "cpu/cpu1/topology")
	if err := os.Rename(dir, filepath.Join(root, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "elsewhere"), dir); err != nil {
		t.Fatal(err)
	}
	if text, err := tree.Append(nil, vfs.Caller{TID: small}, key); err == nil {
		t.Errorf("read %q", text)
	}
}

// Another process knows the keys that this one gave.
func TestSuccessor(t *testing.T) {
	root := machine(t)
	first := mount(t, root)
	for _, path := range []string{"cpu/cpu1/topology/core_id", "cpu/cpu5/cache", "cpu/cpu0/online"} {
		_, key, attr, err := first.lookup(small, path)
		if err != nil {
			t.Fatal(err)
		}
		second := mount(t, root)[strings.Split(path, "/")[0]]
		if got, err := second.Attr(vfs.Caller{TID: small}, key); err != nil || got != attr {
			t.Errorf("%s: got %+v, %v, want %+v", path, got, err, attr)
		}
		other := uint32(apart)
		if path == "cpu/cpu0/online" {
			other = host // which has no such file
		}
		if _, err := second.Attr(vfs.Caller{TID: other}, key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of somebody else: %v", path, err)
		}
		if _, err := second.Attr(vfs.Caller{TID: small}, key+1<<30); !errors.Is(err, unix.ESTALE) {
			t.Errorf("unknown key: %v", err)
		}
	}
}

func TestAttributes(t *testing.T) {
	m := mount(t, machine(t))
	for path, mode := range map[string]uint32{
		"cpu/cpu1": unix.S_IFDIR | 0o555, "cpu/cpu1/online": unix.S_IFREG | 0o444, "cpu/cpu1/node0": unix.S_IFLNK | 0o777,
	} {
		if _, _, attr, err := m.lookup(small, path); err != nil || attr.Mode != mode || attr.UID != 0 {
			t.Errorf("%s: got %+v, %v, want mode %o", path, attr, err, mode)
		}
	}
	if _, err := m.read(small, "cpu/cpu1"); !errors.Is(err, unix.EISDIR) {
		t.Errorf("a directory opened as a file: %v", err)
	}
	if _, _, _, err := m.lookup(small, "cpu/cpu1/online/x"); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("a name below a file: %v", err)
	}
}

// This machine's own trees can be read through from end to end.
func TestThisMachine(t *testing.T) {
	for _, sub := range systemTrees(systemDir, viewer) {
		name := filepath.Base(sub.Path)
		m := mounted{name: sub.Tree}
		for _, path := range m.find(t, host, name) {
			if strings.Contains(path, " -> ") || strings.HasSuffix(path, "/") {
				continue
			}
			want, wantErr := os.ReadFile(filepath.Join(systemDir, path))
			got, err := m.read(host, path)
			if (err == nil) != (wantErr == nil) || len(got) == 0 && len(want) > 0 {
				t.Errorf("%s: got %q, %v, want %q, %v", path, got, err, want, wantErr)
			}
		}
	}
}
