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
	// From is where Usage comes from. Its cgroup, whose Stat this is too, is m's
	// or, where the controller is not enabled for that (v2), the nearest ancestor
	// that the kernel charges instead.
	From Origin
	// Limit is the smallest memory.max, v1 memory.limit_in_bytes, of the cgroup
	// and its ancestors.
	Limit Limit
	// SwapUsage is memory.swap.current; v1: memory.memsw.usage_in_bytes less
	// Usage, floored at 0.
	SwapUsage uint64
	// SwapLimit is the smallest memory.swap.max; none on v1 (see MemswLimit).
	SwapLimit Limit
	// MemswLimit is the smallest memory.memsw.limit_in_bytes, the limit of
	// memory and swap together; none on v2.
	MemswLimit Limit
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

// memoryNames are the interface files of a version; swap and limits are in
// memory and swap together on v1.
type memoryNames struct{ usage, limit, swapUsage, swapLimit string }

func memoryFiles(version int) memoryNames {
	if version == 1 {
		return memoryNames{
			"memory.usage_in_bytes", "memory.limit_in_bytes",
			"memory.memsw.usage_in_bytes", "memory.memsw.limit_in_bytes",
		}
	}
	return memoryNames{"memory.current", "memory.max", "memory.swap.current", "memory.swap.max"}
}

// StatFrom returns where Stat comes from.
func (m *Memory) StatFrom() Origin { return Origin{m.From.hierarchy, m.From.path, memoryStatFile} }

// SwapFrom returns where SwapUsage comes from.
func (m *Memory) SwapFrom() Origin {
	return Origin{m.From.hierarchy, m.From.path, memoryFiles(m.Version).swapUsage}
}

// ReadMemory overwrites *dst with m's memory. After an error *dst is undefined.
// The error is fs.ErrNotExist where no memory controller counts for m.
func (h *Host) ReadMemory(m Membership, dst *Memory) error {
	p, err := h.place(m, "memory")
	if err != nil {
		return err
	}
	none := Limit{Value: Max}
	*dst = Memory{Version: p.hierarchy.Version, Limit: none, SwapLimit: none, MemswLimit: none}
	files := memoryFiles(dst.Version)
	buf := h.buffer()
	defer h.release(buf)
	b, p, err := h.charged(buf, p, files.usage)
	if err != nil {
		return err
	}
	if dst.Usage, err = parseSingle(b); err != nil {
		return formatIn(files.usage, p.dir, err)
	}
	dst.From = p.origin(files.usage)
	if dst.SwapUsage, dst.SwapAccounting, err = h.optional(buf, p, files.swapUsage); err != nil {
		return err
	}
	told, err := h.readMemoryStat(buf, p, &dst.Stat)
	if err != nil {
		return err
	}
	if err = h.readMemoryExtra(buf, p, dst); err != nil {
		return err
	}
	if dst.Limit, err = h.memoryLimit(told.memory, buf, p, files.limit); err != nil || !dst.SwapAccounting {
		return err
	}
	swapLimit := &dst.SwapLimit
	if dst.Version == 1 {
		swapLimit = &dst.MemswLimit
	}
	*swapLimit, err = h.memoryLimit(told.memsw, buf, p, files.swapLimit)
	return err
}

// readMemoryExtra reads what only one version has.
func (h *Host) readMemoryExtra(buf *[]byte, p place, dst *Memory) (err error) {
	if dst.Version == 1 {
		dst.SwapUsage -= min(dst.SwapUsage, dst.Usage) // two reads: memsw may be smaller
		swappiness, known, err := h.optional(buf, p, "memory.swappiness")
		dst.SwapZeroSwappiness = known && swappiness == 0
		return err
	}
	if dst.ZswapUsage = dst.Stat.Zswap; !dst.Stat.Has("zswap") {
		dst.ZswapUsage, _, err = h.optional(buf, p, "memory.zswap.current")
	}
	return err
}

// memoryLimit returns the smallest limit of p's cgroup and its ancestors: what
// v1's memory.stat told, who knows of those out of sight too, or by the limits'
// file.
func (h *Host) memoryLimit(told limitLine, buf *[]byte, p place, file string) (Limit, error) {
	switch {
	case told.present:
		return Limit{Value: told.bytes, from: p.origin(file), told: true}, nil
	case p.hierarchy.Version == 1:
		return h.limit(buf, p, file, parseLimitV1)
	}
	return h.limit(buf, p, file, parseMax)
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
