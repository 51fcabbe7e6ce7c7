package view

import (
	"errors"
	"reflect"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
)

func TestParseHostMemory(t *testing.T) {
	const text = "MemTotal:       24684092 kB\nMemFree:        21701480 kB\nSwapTotal:       1048576 kB\nHugePages_Total:       3\nHugepagesize:       2048 kB\n"
	want := HostMemory{Total: 24684092 << 10, Swap: 1 << 30, HugePages: 3, HugePageSize: 2 << 20}
	if got, err := parseHostMemory([]byte(text)); !reflect.DeepEqual(got, want) || err != nil {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got, err := parseHostMemory([]byte("MemFree: 5 kB\n")); got.Total != 0 || err != nil {
		t.Errorf("no line that is known: got %+v, %v", got, err)
	}
	for _, wrong := range []string{"MemTotal:", "MemTotal: x kB\n", "MemTotal: -1 kB\n", "SwapTotal: 18446744073709551615 kB\n", "HugePages_Total: 1 MB\n"} {
		if got, err := parseHostMemory([]byte(wrong)); !errors.Is(err, cgroup.ErrFormat) || got.Total != 0 {
			t.Errorf("%q: got %+v, %v", wrong, got, err)
		}
	}
}

func FuzzParseHostMemory(f *testing.F) {
	f.Add([]byte("MemTotal:       24684092 kB\nSwapTotal:             0 kB\nHugePages_Total:       0\nHugepagesize:       2048 kB\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseHostMemory(b); err != nil && m.Total != 0 || m.Swap != 0 {
			t.Errorf("got %+v beside %v", m, err)
		}
	})
}

func FuzzParseNode(f *testing.F) {
	f.Add([]byte("Node 0 MemTotal:        7169824 kB\nNode 0 HugePages_Total:     0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := parseNode(b); err != nil && n != (HostNode{}) || n.Size > 1<<63 {
			t.Errorf("got %+v beside %v", n, err)
		}
	})
}
