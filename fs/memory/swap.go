package memory

import (
	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// Swap is what a container may use and uses of the host's swap, whole pages in
// kB; Used is not more than Total.
type Swap struct{ Total, Used uint64 }

// SwapOf returns the container's swap on a host that has hostTotal kB.
//
// v2 limits swap by itself. v1 limits memory and swap together: what the limit
// of both leaves beyond the memory limit is swap. A v1 container that never
// swaps of its own accord (memory.swappiness 0) is shown as much as it uses.
// Where the kernel does not account swap to cgroups, or the view has none, both
// are 0.
func SwapOf(v *view.View, hostTotal uint64) Swap {
	m := &v.Memory
	if !v.SwapShown || !m.SwapAccounting {
		return Swap{}
	}
	limit := m.SwapLimit.Value
	if m.Version == 1 {
		limit = cgroup.Max
		if m.MemswLimit.Value != cgroup.Max {
			limit = floorSub(m.MemswLimit.Value, m.Limit.Value)
		}
	}
	s := Swap{Total: hostTotal}
	if limit != cgroup.Max {
		s.Total = min(hostTotal, limit>>10)
	}
	page := unit(v)
	s.Total -= s.Total % page
	s.Used = min(s.Total, m.SwapUsage>>10/page*page)
	if m.Version == 1 && m.SwapZeroSwappiness {
		s.Total = s.Used
	}
	return s
}
