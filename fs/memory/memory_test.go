package memory

import (
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// container is one of 512 MiB on a host of 8 GiB with 1 GiB of swap.
func container(pageSize uint64) *view.View {
	return &view.View{
		PageSize: pageSize, HugeSize: pageSize / 8 * pageSize, SwapShown: true, ZswapShown: true,
		Memory: cgroup.Memory{
			Version: 2, Limit: cgroup.Limit{Value: 512 << 20}, Usage: 200 << 20, SwapAccounting: true, SwapLimit: cgroup.Limit{Value: 64 << 20}, SwapUsage: 8 << 20,
			Stat: cgroup.MemoryStat{
				Anon: 64 << 20, File: 100<<20 + 70000, Swapcached: 1 << 20, Shmem: 16 << 20, KernelStack: 1 << 20,
				AnonThp: 32 << 20, SlabReclaimable: 5<<20 + 1, SlabUnreclaimable: 65536 + 4096, FileDirty: 65536, FileWriteback: 131072,
				Unevictable: 3 << 20,
			},
		},
	}
}

const hostKB, swapKB = 8 << 20, 1 << 20

// What meminfo says in kB, vmstat says in pages of the machine, whatever their
// size is; each number is whole pages, as the kernel's are.
func TestPageSizes(t *testing.T) {
	for _, pageSize := range []uint64{4096, 16384, 65536} {
		m := New(container(pageSize), hostKB, swapKB)
		unit := pageSize >> 10
		for _, l := range lines {
			if l.meminfo == "" {
				continue
			}
			kB, known := m.Meminfo([]byte(l.meminfo), 1<<40)
			if !known || kB%unit != 0 {
				t.Errorf("pages of %d kB: %s is %d kB, %t", unit, l.meminfo, kB, known)
			}
			if l.vmstat == "" {
				continue
			}
			n, known := m.Vmstat([]byte(l.vmstat), 1<<40)
			if per := map[measure]uint64{inKB: 1, inHugePages: pageSize / 8 * unit}[l.measure]; per != 0 {
				if n != kB/per {
					t.Errorf("%s is %d, %s %d kB, which are %d kB each", l.vmstat, n, l.meminfo, kB, per)
				}
			} else if !known || n*unit != kB {
				t.Errorf("%s is %d pages of %d kB, %s %d kB", l.vmstat, n, unit, l.meminfo, kB)
			}
		}
		for name, want := range map[string]uint64{
			"nr_free_pages": 312 << 10 / unit, "nr_anon_pages": 64 << 10 / unit, "nr_kernel_stack": 1024, "nr_swapcached": 1024 / unit,
			"nr_zone_write_pending": 192 / unit, "nr_mlock": 7, "nr_bounce": 0,
		} {
			if n, known := m.Vmstat([]byte(name), 7); n != want || known != (name != "nr_bounce") {
				t.Errorf("pages of %d kB: %s is %d, want %d", unit, name, n, want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, l := range lines {
		for _, name := range []string{l.meminfo, l.vmstat} {
			if name != "" && seen[name] {
				t.Errorf("%s comes twice", name)
			}
			seen[name] = true
		}
	}
	m := New(container(4096), hostKB, swapKB)
	for _, name := range []string{"", "VmallocTotal", "DirectMap4k", "HugePages_Total", "nr_free_pages"} {
		if n, known := m.Meminfo([]byte(name), 1); known {
			t.Errorf("%q: got %d, want the host's", name, n)
		}
	}
}
