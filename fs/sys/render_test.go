package sys

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// fourNodes is a container of 200 MiB on four nodes of 4000000 kB each.
func fourNodes() *view.View {
	v := &view.View{PageSize: 4096, HugeSize: 2 << 20}
	v.Memory = cgroup.Memory{Limit: cgroup.Limit{Value: 200 << 20}, Usage: 100 << 20, Stat: cgroup.MemoryStat{Anon: 40 << 20, File: 50 << 20, SlabReclaimable: 4 << 20}}
	v.Host = view.HostMemory{Total: 16000000 << 10, HugePages: 8, HugePageSize: 2 << 20}
	for n := range 4 {
		v.Host.Nodes = append(v.Host.Nodes, view.HostNode{Number: n, Size: 4000000 << 10, HugePages: 2})
	}
	v.UsageByNode = []cgroup.NodeMemory{
		{Node: 0, Usage: 10 << 20, Stat: cgroup.MemoryStat{Anon: 10 << 20}},
		{Node: 2, Usage: 80 << 20, Stat: cgroup.MemoryStat{Anon: 30 << 20, File: 50 << 20}},
	}
	return v
}

// sumOfNodes adds up a line of the nodes' files.
func sumOfNodes(t *testing.T, v *view.View, name string) (sum uint64) {
	t.Helper()
	for n := range 4 {
		memory := nodeMemoryOf(v, n)
		got, err := appendNodeMeminfo(nil, []byte(nodeMeminfo(n)), &memory)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(got) {
			if l, ok := parseNodeLine(bytes.TrimSuffix(line, []byte("\n"))); ok && l.name == name {
				sum += l.value
			}
		}
	}
	return sum
}

// The nodes add up to what /proc/meminfo says.
func TestNodeMeminfo(t *testing.T) {
	v := fourNodes()
	for name, want := range map[string]uint64{
		"MemTotal": 204800, "MemFree": 102400, "MemUsed": 102400, "FilePages": 51200, "Bounce": 0, "HugePages_Total": 8,
	} {
		if got := sumOfNodes(t, v, name); got != want {
			t.Errorf("%s: the nodes have %d, want %d", name, got, want)
		}
	}
	memory := nodeMemoryOf(v, 2)
	got, err := appendNodeMeminfo([]byte("x"), []byte(nodeMeminfo(2)), &memory)
	want := "xNode 2 MemTotal:          91024 kB\nNode 2 MemFree:               0 kB\nNode 2 MemUsed:           91024 kB\n" +
		"Node 2 FilePages:         51200 kB\nNode 2 Bounce:                0 kB\nNode 2 HugePages_Total:     2\n"
	if string(got) != want || err != nil {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
	v.Hugetlb = view.Hugetlb{Known: true, Usage: 2 << 20, Limit: 5 << 20}
	if got := sumOfNodes(t, v, "HugePages_Total"); got != 2 {
		t.Errorf("huge pages within a limit of 2: the nodes have %d", got)
	}
	v.Nodes = cgroup.CPUSetOf(1, 3)
	if got := sumOfNodes(t, v, "MemTotal"); got != 204800 {
		t.Errorf("two nodes of four: MemTotal %d", got)
	}
	v.Memory.Limit.Value, v.NodesSize = cgroup.Max, 8000000<<10
	if got := sumOfNodes(t, v, "MemTotal"); got != 8000000 {
		t.Errorf("no limit, two nodes of four: MemTotal %d", got)
	}
}

func TestMalformedNodes(t *testing.T) {
	n := nodeMemoryOf(fourNodes(), 0)
	for _, wrong := range []string{"MemTotal: 1 kB\n", "Node 0 MemTotal:\n", "Node 0 MemTotal: 1 kB", "Node 0 MemTotal: x kB\n"} {
		if got, err := appendNodeMeminfo([]byte("x"), []byte(wrong), &n); !errors.Is(err, cgroup.ErrFormat) || string(got) != "x" {
			t.Errorf("%q: got %q, %v", wrong, got, err)
		}
	}
	for _, wrong := range []string{"numa_hit\n", "numa_hit x\n", "numa_hit 1", "\n"} {
		if got, err := appendNodeCounts([]byte("x"), []byte(wrong), &n); !errors.Is(err, cgroup.ErrFormat) || string(got) != "x" {
			t.Errorf("%q: got %q, %v", wrong, got, err)
		}
	}
}

// Maps and lists of a machine of 256 CPUs.
func TestManyCPUs(t *testing.T) {
	e := &systemVisibility{looked: true, contained: true, view: view.View{CPUs: cgroup.CPUSetOf(0, 31, 32, 63, 64, 65, 66, 200, 255)}}
	all := strings.Repeat("ffffffff,", 7) + "ffffffff\n"
	for _, tt := range []struct {
		edit     editor
		in, want string
	}{
		{(*systemVisibility).cpuMap, all, "80000000,00000100,00000000,00000000,00000000,00000007,80000001,80000001\n"},
		{(*systemVisibility).cpuMap, "ff,ffffffff,ffffffff\n", "07,80000001,80000001\n"},
		{(*systemVisibility).cpuList, "0-255\n", "0,31-32,63-66,200,255\n"},
		{(*systemVisibility).cpuList, "64-127,192-254\n", "64-66,200\n"},
	} {
		if got, err := tt.edit(e, []byte(tt.in), nil); string(got) != tt.want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

// FuzzEditors gives each editor any text: what comes out is edited to itself,
// and has no CPU but the container's.
func FuzzEditors(f *testing.F) {
	for _, text := range []string{"0-3,8\n", "00000000,ffffffff\n", "0 1 2\n", "(null)\n", nodeMeminfo(0), "numa_hit 3\nnr_free_pages 4\n", "\n", "", "ff,ff\n", "9-1\n"} {
		f.Add([]byte(text))
	}
	visible, node := cgroup.CPUSetOf(1, 8, 40), nodeMemoryOf(fourNodes(), 2)
	f.Fuzz(func(t *testing.T, text []byte) {
		e := &systemVisibility{looked: true, contained: true, view: view.View{CPUs: visible}}
		for name, edit := range map[string]editor{
			"list": (*systemVisibility).cpuList, "map": (*systemVisibility).cpuMap, "words": (*systemVisibility).cpuWords, "nodes": (*systemVisibility).nodeList,
			"meminfo": func(_ *systemVisibility, text []byte, _ []string) ([]byte, error) {
				return appendNodeMeminfo(nil, text, &node)
			},
			"counts": func(_ *systemVisibility, text []byte, _ []string) ([]byte, error) {
				return appendNodeCounts(nil, text, &node)
			},
		} {
			got, err := edit(e, bytes.Clone(text), nil)
			if err != nil {
				continue
			}
			again, err := edit(e, bytes.Clone(got), nil)
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("%s of %q: %q, and again %q, %v", name, text, got, again, err)
			}
			if set, err := cgroup.ParseCPUList(got); name == "list" && err == nil && !set.AndNot(visible).Empty() {
				t.Errorf("%q of %q has CPUs that are not visible", got, text)
			}
		}
	})
}
