package served

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

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
	byNumber := make(map[uint16]string)
	for _, p := range Paths() {
		if other, taken := byNumber[p.Index]; taken {
			t.Errorf("index %d: %s and %s", p.Index, p.Name, other)
		}
		byNumber[p.Index] = p.Name
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
	want := map[string]uint8{"/sys/devices/system/cpu": 0, "/sys/devices/system/node": 1, "/cgroup": 2, "/sys/block": 3, "/sys/devices/system/memory": 4}
	got := make(map[string]uint8)
	for _, p := range Paths() {
		if p.Kind == Tree {
			got[p.Name] = p.Number
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
