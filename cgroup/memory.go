package cgroup

// Memory is what the memory controller says of one cgroup. Values are bytes.
type Memory struct {
	// Version of the hierarchy that has the memory controller: 1 or 2.
	Version int
	// Usage is memory.current, v1 memory.usage_in_bytes. It is read before
	// every limit.
	Usage uint64
	// UsageFrom is the cgroup whose usage and Stat these are: the container's,
	// or, where the controller is not enabled for it (v2), the nearest ancestor
	// that the kernel charges instead.
	UsageFrom string
	// Limit is the smallest memory.max, v1 memory.limit_in_bytes, of the cgroup
	// and its ancestors; LimitFrom is the cgroup that has it, "" for Max.
	Limit     uint64
	LimitFrom string
	// SwapUsage is memory.swap.current; v1: memory.memsw.usage_in_bytes less
	// Usage, floored at 0.
	SwapUsage uint64
	// SwapLimit is the smallest memory.swap.max; Max on v1 (see MemswLimit).
	SwapLimit uint64
	// MemswLimit is the smallest memory.memsw.limit_in_bytes, the limit of
	// memory and swap together; Max on v2.
	MemswLimit uint64
	// SwapAccounting: the files above exist.
	SwapAccounting bool
	// SwapZeroSwappiness: v1 memory.swappiness is 0.
	SwapZeroSwappiness bool
	// ZswapUsage and ZswapLimit are memory.zswap.current and the smallest
	// memory.zswap.max (since Linux 5.19, CONFIG_ZSWAP); 0 and Max when absent.
	ZswapUsage, ZswapLimit uint64
	// Stat is memory.stat.
	Stat MemoryStat
}

// ReadMemory overwrites *dst with m's memory. After an error *dst is undefined.
func (h *Host) ReadMemory(m Membership, dst *Memory) error { return nil }
