package fs

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"linuxcontainers.org/lxcfs/fs/proc"
	"linuxcontainers.org/lxcfs/fs/sys"
	"linuxcontainers.org/lxcfs/fs/view"
)

// A file without a number is served by nobody.
func TestEveryFileHasANumber(t *testing.T) {
	numbers := indexes()
	for _, f := range slices.Concat(proc.Files(), sys.Files()) {
		if numbers[f.Path] == 0 {
			t.Errorf("%s has no number in indexes()", f.Path)
		}
	}
}

// The numbers are in the node ids that kernels hold for years: this list may
// grow and must never change.
func TestIndexesFrozen(t *testing.T) {
	want := []string{
		"1 /", "2 /proc", "3 /sys", "4 /sys/devices", "5 /sys/devices/system", "6 /sys/devices/system/cpu",
		"7 /proc/pressure", "8 /sys/devices/system/node", "9 /cgroup", "10 /sys/block",
		"11 /sys/devices/system/memory",
		"16 /proc/cpuinfo", "17 /proc/diskstats", "18 /proc/loadavg", "19 /proc/meminfo", "20 /proc/stat",
		"21 /proc/swaps", "22 /proc/uptime", "23 /proc/slabinfo", "24 /proc/partitions", "25 /proc/vmstat",
		"26 /proc/pressure/cpu", "27 /proc/pressure/io", "28 /proc/pressure/memory", "29 /proc/pressure/irq",
		"40 /sys/devices/system/cpu/online", "41 /sys/devices/system/cpu/present", "42 /sys/devices/system/cpu/possible",
		"43 /sys/devices/system/cpu/offline", "44 /sys/devices/system/cpu/isolated", "45 /sys/devices/system/cpu/kernel_max",
	}
	byNumber := make(map[index]string)
	for path, i := range indexes() {
		if other, taken := byNumber[i]; taken {
			t.Errorf("index %d: %s and %s", i, path, other)
		}
		byNumber[i] = path
	}
	var got []string
	for _, i := range slices.Sorted(maps.Keys(byNumber)) {
		got = append(got, fmt.Sprint(i, " ", byNumber[i]))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// So are the numbers of trees.
func TestTreeNumbersFrozen(t *testing.T) {
	want := map[string]uint64{"/sys/devices/system/cpu": 0, "/sys/devices/system/node": 1, "/cgroup": 2, "/sys/block": 3, "/sys/devices/system/memory": 4}
	if got := treeNumbers(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTable(t *testing.T) {
	var files []*File
	for _, path := range []string{"/proc/stat", "/sys/devices/system/cpu/online", "/proc/unknown", "/proc/cpuinfo"} {
		files = append(files, &File{File: view.File{Path: path}})
	}
	r := &Renderer{Config: Config{FS: archive("/sys/devices/system/cpu/online", "0-1\n")}}
	table := newTable(r, files)
	root := table.node(1)
	cpu := root.child("sys").child("devices").child("system").child("cpu")
	if cpu == nil || cpu.child("online") == nil || cpu.child("online").length != 4 {
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
	if p := tree.at(uint64(stat.index) | 1<<62); p.Tree != table || table.node(p.key) != stat {
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
