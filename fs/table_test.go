package fs

import (
	"slices"
	"testing"

	"linuxcontainers.org/lxcfs/fs/served"
	"linuxcontainers.org/lxcfs/fs/view"
)

func TestTable(t *testing.T) {
	var files []*File
	for _, path := range []string{"/proc/stat", "/sys/devices/system/cpu/online", "/proc/unknown", "/proc/cpuinfo"} {
		files = append(files, &File{File: view.File{Path: path}})
	}
	r := &Renderer{Config: Config{FS: archive("/sys/devices/system/cpu/online", "0-1\n")}}
	table := newTable(r, files, served.Paths())
	root := table.node(1)
	cpu := root.child("sys").child("devices").child("system").child("cpu")
	if cpu == nil || cpu.child("online") == nil || cpu.child("online").attr.Length != 4 {
		t.Fatalf("no online: %+v", cpu)
	}
	if n := root.child("proc").child("unknown"); n != nil {
		t.Errorf("file without a number is served: %+v", n)
	}
	var names []string
	for _, n := range root.child("proc").children {
		names = append(names, n.name)
	}
	if want := []string{"cpuinfo", "stat"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	stat := root.child("proc").child("stat")
	tree := &Tree{table: table, renderer: r}
	tree.mount(nil)
	if p := tree.at(stat.attr.Ino | 1<<62); p.Tree != table || table.node(p.key) != stat {
		t.Errorf("node of an id of an earlier version: got %+v", p)
	}
	if got := table.node(9999); got != nil {
		t.Errorf("node of an unknown id: got %+v", got)
	}
}

func TestSizeFor(t *testing.T) {
	for _, tt := range []struct {
		n    int
		want uint64
	}{{0, 65536}, {1500, 65536}, {16384, 65536}, {16385, 131072}, {400_000, 2 << 20}, {50 << 20, 16 << 20}} {
		if got := sizeFor(tt.n); got != tt.want {
			t.Errorf("sizeFor(%d): got %d, want %d", tt.n, got, tt.want)
		}
	}
}
