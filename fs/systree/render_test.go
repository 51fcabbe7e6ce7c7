package systree

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

func TestNodeMeminfo(t *testing.T) {
	text := []byte(nodeMeminfo(1))
	m := cgroup.Memory{Limit: 1000 << 20, Usage: 200<<20 + 1}
	got, err := appendNodeMeminfo([]byte("x"), text, &m, 8000000)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"xNode 1 MemTotal:        1024000 kB\n", "Node 1 MemFree:          819199 kB\n", "Node 1 MemUsed:          204801 kB\n",
		"Node 1 FilePages:        700000 kB\n", "Node 1 HugePages_Total:     2\n",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	m.Usage = 2000 << 20 // above the limit
	if got, _ = appendNodeMeminfo(nil, text, &m, 8000000); !strings.Contains(string(got), "MemFree:               0 kB") {
		t.Errorf("usage above the limit:\n%s", got)
	}
	m = cgroup.Memory{Limit: cgroup.Max, Usage: 1 << 20}
	if got, _ = appendNodeMeminfo(nil, text, &m, 4000000); !strings.Contains(string(got), "MemFree:         3998976 kB") {
		t.Errorf("one node, no limit:\n%s", got)
	}
	for _, wrong := range []string{"MemTotal: 1 kB\n", "Node 0 MemTotal:\n", "Node 0 MemTotal: 1 kB", "Node 0 MemTotal: x kB\n"} {
		if got, err := appendNodeMeminfo([]byte("x"), []byte(wrong), &m, 0); !errors.Is(err, cgroup.ErrFormat) || string(got) != "x" {
			t.Errorf("%q: got %q, %v", wrong, got, err)
		}
	}
}

// Maps and lists of a machine of 256 CPUs.
func TestManyCPUs(t *testing.T) {
	e := &systemEyes{looked: true, contained: true, view: view.View{CPUs: cgroup.CPUSetOf(0, 31, 32, 63, 64, 65, 66, 200, 255)}}
	all := strings.Repeat("ffffffff,", 7) + "ffffffff\n"
	for _, tt := range []struct {
		edit     editor
		in, want string
	}{
		{(*systemEyes).cpuMap, all, "80000000,00000100,00000000,00000000,00000000,00000007,80000001,80000001\n"},
		{(*systemEyes).cpuMap, "ff,ffffffff,ffffffff\n", "07,80000001,80000001\n"},
		{(*systemEyes).cpuList, "0-255\n", "0,31-32,63-66,200,255\n"},
		{(*systemEyes).cpuList, "64-127,192-254\n", "64-66,200\n"},
	} {
		if got, err := tt.edit(e, []byte(tt.in), nil); string(got) != tt.want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

// FuzzEditors gives each editor any text: what comes out is edited to itself,
// and has no CPU but the container's.
func FuzzEditors(f *testing.F) {
	for _, text := range []string{"0-3,8\n", "00000000,ffffffff\n", "0 1 2\n", "(null)\n", nodeMeminfo(0), "\n", "", "ff,ff\n", "9-1\n"} {
		f.Add([]byte(text))
	}
	visible := cgroup.CPUSetOf(1, 8, 40)
	f.Fuzz(func(t *testing.T, text []byte) {
		e := &systemEyes{looked: true, contained: true, view: view.View{CPUs: visible}}
		for name, edit := range map[string]editor{
			"list": (*systemEyes).cpuList, "map": (*systemEyes).cpuMap, "words": (*systemEyes).cpuWords, "nodes": (*systemEyes).nodeList,
			"meminfo": func(_ *systemEyes, text []byte, _ []string) ([]byte, error) {
				return appendNodeMeminfo(nil, text, &cgroup.Memory{Limit: 1 << 30, Usage: 1 << 20}, 1<<30)
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
