package memory

import (
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
)

// A container's CommitLimit is what its kernel would say with the host's
// vm.overcommit_ratio: totalram_pages less huge pages, * ratio / 100, + swap.
func TestCommitLimit(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		limit                uint64
		host, swap, huge, kB uint64
	}{
		{"ratio 50", 512 << 20, hostKB/2 + swapKB, swapKB, 0, 256<<10 + 64<<10},
		{"ratio 100", 512 << 20, hostKB + swapKB, swapKB, 0, 512<<10 + 64<<10},
		{"ratio 0", 512 << 20, swapKB, swapKB, 0, 64 << 10},
		{"half of the host's memory in huge pages", 512 << 20, hostKB/4 + swapKB, swapKB, hostKB / 2, 256<<10 + 64<<10},
		{"all of it", 512 << 20, swapKB, swapKB, hostKB, 64 << 10},
		{"no limit: the host's memory, its own swap", cgroup.Max, hostKB/2 + swapKB, swapKB, 0, hostKB/2 + 64<<10},
		{"no limit, huge pages", cgroup.Max, hostKB/4 + swapKB, swapKB, hostKB / 2, hostKB/4 + 64<<10},
		{"below the swap, which no kernel says", 512 << 20, 5, swapKB, 0, 64 << 10},
		{"rounded down on the host", 8<<20 - 4096, (hostKB-4)/2/4*4 + swapKB, swapKB, 0, (8<<10-4)/2/4*4 + 64<<10},
	} {
		v := container(4096)
		v.Memory.Limit.Value = tt.limit
		m := New(v, hostKB, swapKB)
		if got := m.CommitLimit(tt.host, tt.swap, floorSub(hostKB, tt.huge)); got != tt.kB {
			t.Errorf("%s: got %d kB, want %d", tt.name, got, tt.kB)
		}
	}
}

// Committed is what can't be given back: anonymous and shared memory, in memory
// or in swap, once.
func TestCommitted(t *testing.T) {
	v := container(4096)
	m := New(v, hostKB, swapKB)
	want := uint64(64+16+8-1) << 10
	if kB, known := m.Meminfo([]byte("Committed_AS"), 1<<40); kB != want || !known {
		t.Errorf("got %d kB, want %d", kB, want)
	}
	if kB, _ := m.Meminfo([]byte("Committed_AS"), 77); kB != 77 {
		t.Errorf("more than the host's: %d kB", kB)
	}
	v.Memory.Stat.Anon = 1 << 50
	m = New(v, hostKB, swapKB)
	if kB, _ := m.Meminfo([]byte("Committed_AS"), 1<<60); kB != 576<<10 {
		t.Errorf("more than memory and swap: %d kB", kB)
	}
}
