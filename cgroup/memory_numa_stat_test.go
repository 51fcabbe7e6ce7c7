package cgroup

import (
	"io/fs"
	"path"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

// byNode is what of a node the tests look at.
type byNode struct {
	node                                            int
	usage, anon, file, unevictable, slabUnreclaimed uint64
}

func looks(all []NodeMemory) (out []byNode) {
	for _, m := range all {
		out = append(out, byNode{m.Node, m.Usage, m.Stat.Anon, m.Stat.File, m.Stat.Unevictable, m.Stat.SlabUnreclaimable})
	}
	return out
}

func TestParseNumaStat(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		version  int
		want     []byNode
	}{
		{"two nodes", "anon N0=4096 N1=8192\nfile N0=0 N1=12288\nslab_unreclaimable N0=100 N1=1\nworkingset_nodereclaim N0=7 N1=7\n", 2,
			[]byNode{{0, 4196, 4096, 0, 0, 100}, {1, 20481, 8192, 12288, 0, 1}}},
		{"nodes with gaps, a line of another kernel", "anon N8=1 N252=2\nnews N8=5 N252=x\nfile N8=4 N252=8\n", 2,
			[]byNode{{8, 5, 1, 4, 0, 0}, {252, 10, 2, 8, 0, 0}}},
		{"a node less in a line", "anon N0=1 N1=2 N2=3\nfile N0=10 N2=30\n", 2,
			[]byNode{{0, 11, 1, 10, 0, 0}, {1, 2, 2, 0, 0, 0}, {2, 33, 3, 30, 0, 0}}},
		{"below zero: not yet summed", "anon N0=18446744073709551600\n", 2, []byNode{{}}},
		{"nothing", "", 2, nil},
		{"v1: pages, of all below", "total=9 N0=9\nfile=9 N0=9\nhierarchical_total=6 N0=5 N1=1\nhierarchical_file=3 N0=3 N1=0\nhierarchical_anon=2 N0=1 N1=1\nhierarchical_unevictable=1 N0=1 N1=0\n", 1,
			[]byNode{{0, 5 * 4096, 4096, 3 * 4096, 4096, 0}, {1, 4096, 4096, 0, 0, 0}}},
		{"v1: before Linux 3.17, or empty", "total=9 N0=9\n", 1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []NodeMemory
			var err error
			if tt.version == 1 {
				got, err = parseNumaStatV1([]byte(tt.in), 4096, nil)
			} else {
				got, err = parseNumaStat([]byte(tt.in), nil)
			}
			if err != nil || !reflect.DeepEqual(looks(got), tt.want) {
				t.Errorf("got %+v, %v, want %+v", looks(got), err, tt.want)
			}
		})
	}
	for _, wrong := range []string{
		"anon N0=1", "anon\n", "anon 5\n", "anon N=5\n", "anon N0\n", "anon N0=\n", "anon N0=-1\n", "anon N1024=1\n", "anon N0=1  N1=2\n",
		"anon N0=18446744073709551616\n", "anon N0=1\r\n",
	} {
		_, err := parseNumaStat([]byte(wrong), nil)
		mustBe(t, err, ErrFormat)
	}
	for _, wrong := range []string{"hierarchical_anon=1 N0=1", "anon 5\n", "hierarchical_anon=1 0=1\n", "hierarchical_anon=1 N0=x\n"} {
		_, err := parseNumaStatV1([]byte(wrong), 4096, nil)
		mustBe(t, err, ErrFormat)
	}
}

func TestReadNodeMemory(t *testing.T) {
	for _, tt := range []struct{ machine, dir, stat string }{
		{"v2", "/sys/fs/cgroup/lxc/c1", "anon N0=100\nfile N0=200\n"},
		{"v1", "/sys/fs/cgroup/memory/lxc/c1", "hierarchical_total=3 N0=3\nhierarchical_anon=1 N0=1\n"},
	} {
		h, a := captured(t, tt.machine)
		h.PageSize = 100
		_, err := h.ReadNodeMemory(on(t, "/lxc/c1"), nil)
		mustBe(t, err, fs.ErrNotExist)
		file := path.Join(tt.dir, "memory.numa_stat")
		a.Files[file] = tt.stat
		old := make([]NodeMemory, 3, 5)
		old[0].Stat.File = 9
		got, err := h.ReadNodeMemory(on(t, "/lxc/c1"), old)
		if err != nil || len(got) != 1 || got[0].Usage != 300 || got[0].Stat.Anon != 100 || got[0].Stat.File == 9 {
			t.Errorf("%s: got %+v, %v", tt.machine, got, err)
		}
		if tt.machine == "v2" { // where the controller is not enabled, the parent's
			a.Files[tt.dir+"/off/deep/cpu.stat"] = ""
			if got, err := h.ReadNodeMemory(on(t, "/lxc/c1/off/deep"), nil); err != nil || len(got) != 1 {
				t.Errorf("charged to the parent: got %+v, %v", got, err)
			}
		}
		a.Files[file] = "garbage\n"
		_, err = h.ReadNodeMemory(on(t, "/lxc/c1"), nil)
		mustBe(t, err, ErrFormat)
		if !strings.Contains(err.Error(), "memory.numa_stat of "+tt.dir) {
			t.Errorf("the error does not name the file: %v", err)
		}
		a.Errors[file] = syscall.EIO
		_, err = h.ReadNodeMemory(on(t, "/lxc/c1"), nil)
		mustBe(t, err, syscall.EIO)
	}
}

func FuzzParseNumaStat(f *testing.F) {
	f.Add([]byte("anon N0=6213632 N1=0\nkernel_stack N0=98304 N1=16384\n"))
	f.Add([]byte("total=7007 N0=7007\nhierarchical_total=855556 N0=855556\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, parse := range []func() ([]NodeMemory, error){
			func() ([]NodeMemory, error) { return parseNumaStat(b, nil) },
			func() ([]NodeMemory, error) { return parseNumaStatV1(b, 65536, nil) },
		} {
			all, err := parse()
			seen := make(map[int]bool)
			for _, m := range all {
				if seen[m.Node] || m.Node < 0 || m.Node > maxNode {
					t.Errorf("node %d twice, or too large", m.Node)
				}
				seen[m.Node] = true
				if err == nil && (m.Usage > 1<<63 || m.Stat.Anon > 1<<63) {
					t.Errorf("node %d: %d of %d", m.Node, m.Stat.Anon, m.Usage)
				}
			}
		}
	})
}
