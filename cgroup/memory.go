package cgroup

import (
	"errors"
	"io/fs"
)

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
	// and its ancestors; [Host.MemorySources] says which of them has it.
	Limit uint64
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
	// ZswapUsage is memory.zswap.current (since Linux 5.19, CONFIG_ZSWAP), 0
	// when absent; the zswap line of Stat where there is one.
	ZswapUsage uint64
	// Stat is memory.stat.
	Stat MemoryStat
}

// ReadMemory overwrites *dst with m's memory. After an error *dst is undefined.
// The error is fs.ErrNotExist where no memory controller counts for m.
func (h *Host) ReadMemory(m Membership, dst *Memory) error {
	p, err := h.place(m, "memory")
	if err != nil {
		return err
	}
	*dst = Memory{
		Version: p.hierarchy.Version,
		Limit:   Max, SwapLimit: Max, MemswLimit: Max,
	}
	buf := h.buffer()
	defer h.release(buf)
	if dst.Version == 1 {
		return h.readMemoryV1(buf, p, dst)
	}
	return h.readMemoryV2(buf, p, dst)
}

func (h *Host) readMemoryV2(buf *[]byte, p place, dst *Memory) (err error) {
	const current = "memory.current"
	b, p, err := h.charged(buf, p, current)
	if err != nil {
		return err
	}
	if dst.Usage, err = parseSingle(b); err != nil {
		return formatIn(current, p.dir, err)
	}
	dst.UsageFrom = p.path
	dst.SwapUsage, dst.SwapAccounting, err = h.optional(buf, p, "memory.swap.current")
	if err != nil {
		return err
	}
	if _, err = h.readMemoryStat(buf, p, &dst.Stat); err != nil {
		return err
	}
	if dst.ZswapUsage = dst.Stat.Zswap; !dst.Stat.Has("zswap") {
		if dst.ZswapUsage, _, err = h.optional(buf, p, "memory.zswap.current"); err != nil {
			return err
		}
	}
	if dst.Limit, _, err = h.limit(buf, p, "memory.max", parseMax); err != nil {
		return err
	}
	if dst.SwapAccounting {
		dst.SwapLimit, _, err = h.limit(buf, p, "memory.swap.max", parseMax)
	}
	return err
}

func (h *Host) readMemoryV1(buf *[]byte, p place, dst *Memory) (err error) {
	if dst.Usage, err = h.value(buf, p.dir, "memory.usage_in_bytes", parseSingle); err != nil {
		return err
	}
	dst.UsageFrom = p.path
	memsw, accounted, err := h.optional(buf, p, "memory.memsw.usage_in_bytes")
	if err != nil {
		return err
	}
	dst.SwapAccounting = accounted
	dst.SwapUsage = memsw - min(memsw, dst.Usage) // two reads: the second may be smaller
	told, err := h.readMemoryStat(buf, p, &dst.Stat)
	if err != nil {
		return err
	}
	swappiness, known, err := h.optional(buf, p, "memory.swappiness")
	if err != nil {
		return err
	}
	dst.SwapZeroSwappiness = known && swappiness == 0
	if dst.Limit, err = h.limitV1(told.memory, buf, p, "memory.limit_in_bytes"); err != nil || !accounted {
		return err
	}
	dst.MemswLimit, err = h.limitV1(told.memsw, buf, p, "memory.memsw.limit_in_bytes")
	return err
}

// limitV1 returns the smallest limit of p's cgroup and its ancestors: what
// memory.stat told, who knows of those out of sight too, or by the limits' file.
func (h *Host) limitV1(told limitLine, buf *[]byte, p place, file string) (uint64, error) {
	if told.present {
		return told.bytes, nil
	}
	least, _, err := h.limit(buf, p, file, parseLimitV1)
	return least, err
}

// optional reads a single value file that not every kernel has.
func (h *Host) optional(buf *[]byte, p place, file string) (v uint64, ok bool, err error) {
	b, err := h.rareContent(buf, p.dir, file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err == nil {
		v, err = parseSingle(b)
		if err != nil {
			err = formatIn(file, p.dir, err)
		}
	}
	return v, err == nil, err
}

// parseLimitV1 parses memory.limit_in_bytes and memory.memsw.limit_in_bytes:
//
//	9223372036854771712
//
// There "no limit" is PAGE_COUNTER_MAX (include/linux/page_counter.h) pages:
// LONG_MAX bytes rounded down to a page on 64-bit kernels, so that the number
// varies with the page size; whatever is 1<<62 or more is no limit. On 32-bit
// kernels it is LONG_MAX pages of 4096 bytes, a number that no one else picks.
func parseLimitV1(content []byte) (uint64, error) {
	v, err := parseSingle(content)
	if err == nil && unlimitedV1(v) {
		return Max, nil
	}
	return v, err
}

func unlimitedV1(v uint64) bool { return v >= 1<<62 || v == (1<<31-1)*4096 }
