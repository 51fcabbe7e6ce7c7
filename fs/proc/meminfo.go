package proc

import (
	"bytes"
	"math/bits"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

const meminfoFile = "/proc/meminfo"

// AppendMeminfo appends /proc/meminfo, proc_meminfo(5).
//
//	MemTotal:       24684092 kB
//	VmallocTotal:   34359738367 kB
//	HugePages_Total:       0
//
// A number has at least eight columns (fs/proc/meminfo.c, show_val_kb). Which
// lines there are, and their order, is the host's. The line of each field is
// the container's ([memory.value], [memory.swapValue]), 0 for what a container
// does not have ([machineOnly]), or the host's: CommitLimit and Committed_AS
// (the kernel grants and refuses by these), VmallocTotal and VmallocChunk (the
// address space), Hugepagesize, DirectMap* (the machine), and lines not known
// here. HugePages_* and Hugetlb are one pool for all, outside the memory limit:
// where a hugetlb controller limits the container they are its part of the pool
// ([huge]), else the host's.
func AppendMeminfo(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(meminfoFile, host); err != nil {
		return dst, err
	}
	m, err := newMemory(host, v)
	if err != nil {
		return dst, err
	}
	out := dst
	for rest := host; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		key, _, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			out = append(out, line...)
			continue
		}
		if out, ok = m.appendLine(out, line, key); !ok {
			return dst, malformed(meminfoFile, line)
		}
	}
	return out, nil
}

// memory is a container's memory as meminfo shows it, kB; stat has bytes.
type memory struct {
	total, free, available uint64
	// cached and reclaimable are what is left of them in total beside free, so
	// that used memory, which free(1) gets by subtraction, is never negative.
	cached, reclaimable uint64
	// shmem is a part of cached, and swapCached and zswapped of the swap in
	// use, wherever it shows itself: htop(1) subtracts them.
	shmem, swapCached uint64
	swap              swap
	zswap, zswapped   uint64
	huge              huge
	stat              *cgroup.MemoryStat
}

func newMemory(host []byte, v *view.View) (m memory, err error) {
	total, err := hostKB(host, "MemTotal")
	if err != nil {
		return m, err
	}
	swapTotal, err := hostKB(host, "SwapTotal")
	if err != nil {
		return m, err
	}
	s := &v.Memory.Stat
	m = memory{total: total, swap: swapOf(v, swapTotal), stat: s}
	if limit := v.Memory.Limit; limit != cgroup.Max {
		m.total = min(total, limit>>10)
	}
	m.free = floorSub(m.total, (ceilAdd(v.Memory.Usage, 1023))>>10)
	used := m.total - m.free
	m.cached = min(used, floorSub(s.File, s.Swapcached)>>10)
	m.reclaimable = min(used-m.cached, s.SlabReclaimable>>10)
	m.shmem = min(m.cached, s.Shmem>>10)
	m.available = available(m.total, m.free, ceilAdd(s.ActiveFile, s.InactiveFile)>>10, m.reclaimable)
	m.swapCached = min(m.swap.used, s.Swapcached>>10)
	if m.huge, err = newHuge(host, &v.Hugetlb); err != nil {
		return m, err
	}
	if v.ZswapShown {
		m.zswap, m.zswapped = s.Zswap>>10, min(m.swap.used-m.swapCached, s.Zswapped>>10)
		if m.zswap == 0 {
			m.zswap = v.Memory.ZswapUsage >> 10
		}
	}
	return m, nil
}

// hostKB returns the value of a line of meminfo, kB.
func hostKB(host []byte, name string) (uint64, error) {
	for len(host) > 0 {
		var line []byte
		line, host = cutLine(host)
		if key, _, ok := bytes.Cut(line, []byte(":")); !ok || string(key) != name {
			continue
		}
		start, end, ok := number(line, len(name)+1)
		if !ok {
			return 0, malformed(meminfoFile, line)
		}
		n, ok := parseUint(line[start:end])
		if !ok {
			return 0, malformed(meminfoFile, line)
		}
		return n, nil
	}
	return 0, malformed(meminfoFile, []byte("no "+name))
}

// available is si_mem_available of mm/show_mem.c for a machine of the size of
// the container, kB: what is free, and the page cache and reclaimable slabs
// without what must stay for the machine not to thrash, which is the low
// watermark or half of each. A cgroup may be charged up to its limit: nothing
// is reserved of what is free.
func available(total, free, pageCache, reclaimable uint64) uint64 {
	low := lowWatermark(total)
	sum := ceilAdd(free, pageCache-min(pageCache/2, low))
	return min(total, ceilAdd(sum, reclaimable-min(reclaimable/2, low)))
}

// lowWatermark returns the low watermark of all zones on a machine with total kB
// of memory: min_free_kbytes, 4*sqrt(total) between 128 and 262144
// (mm/page_alloc.c, calculate_min_free_kbytes), and a quarter more.
func lowWatermark(total uint64) uint64 {
	minFree := min(max(sqrt(min(total, 1<<58)*16), 128), 262144)
	return minFree + minFree/4
}

// sqrt returns the integer square root.
func sqrt(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	x := uint64(1) << ((bits.Len64(n) + 1) / 2) // not below the root
	for {
		y := (x + n/x) / 2
		if y >= x {
			return x
		}
		x = y
	}
}

// appendLine appends the host's line with the container's number in it.
func (m *memory) appendLine(dst, line, key []byte) ([]byte, bool) {
	value, known := m.value(key)
	if !known {
		value, known = m.swapValue(key)
	}
	if !known && m.huge.known {
		value, known = m.huge.value(key)
	}
	if !known && !machineOnly(key) && string(key) != "Mlocked" {
		return append(dst, line...), true
	}
	start, end, ok := number(line, len(key)+1)
	if !ok || !bytes.Equal(line[end:], []byte(" kB\n")) && !isCount(line, end) {
		return dst, false
	}
	old, ok := parseUint(line[start:end])
	if !ok {
		return dst, false
	}
	if string(key) == "Mlocked" {
		value = min(old, m.stat.Unevictable>>10)
	}
	dst = append(dst, line[:max(min(start, end-8), len(key)+1)]...)
	dst = appendUint(dst, value, min(8, end-len(key)-1))
	return append(dst, line[end:]...), true
}

// number finds the number after blanks in line[from:].
func number(line []byte, from int) (start, end int, ok bool) {
	start = from
	for start < len(line) && isBlank(line[start]) {
		start++
	}
	end = start
	for end < len(line) && isDigit(line[end]) {
		end++
	}
	return start, end, end > start
}

// value returns a line about memory that is the container's, kB. Fields that
// memory.stat of this kernel, or of v1, does not have are 0.
func (m *memory) value(key []byte) (kb uint64, known bool) {
	s := m.stat
	switch string(key) {
	case "MemTotal", "LowTotal": // the effective limit, at most the host's; LowTotal: 32-bit
		return m.total, true
	case "MemFree", "LowFree": // less memory.current
		return m.free, true
	case "MemAvailable":
		return m.available, true
	case "Cached": // file less swapcached
		return m.cached, true
	case "SwapCached":
		return m.swapCached, true
	case "Active":
		return ceilAdd(s.ActiveAnon, s.ActiveFile) >> 10, true
	case "Inactive":
		return ceilAdd(s.InactiveAnon, s.InactiveFile) >> 10, true
	case "Active(anon)":
		return s.ActiveAnon >> 10, true
	case "Inactive(anon)":
		return s.InactiveAnon >> 10, true
	case "Active(file)":
		return s.ActiveFile >> 10, true
	case "Inactive(file)":
		return s.InactiveFile >> 10, true
	case "Unevictable":
		return s.Unevictable >> 10, true
	case "Dirty":
		return s.FileDirty >> 10, true
	case "Writeback":
		return s.FileWriteback >> 10, true
	case "AnonPages":
		return s.Anon >> 10, true
	case "Mapped":
		return s.FileMapped >> 10, true
	case "Shmem":
		return m.shmem, true
	case "KReclaimable", "SReclaimable":
		return m.reclaimable, true
	case "SUnreclaim":
		return s.SlabUnreclaimable >> 10, true
	case "Slab":
		return ceilAdd(m.reclaimable, s.SlabUnreclaimable>>10), true
	case "KernelStack":
		return s.KernelStack >> 10, true
	case "PageTables":
		return s.Pagetables >> 10, true
	case "SecPageTables":
		return s.SecPagetables >> 10, true
	case "VmallocUsed":
		return s.Vmalloc >> 10, true
	case "Percpu":
		return s.Percpu >> 10, true
	case "AnonHugePages":
		return s.AnonThp >> 10, true
	case "ShmemHugePages":
		return s.ShmemThp >> 10, true
	case "FileHugePages":
		return s.FileThp >> 10, true
	}
	return 0, false
}

// swapValue returns a line about swap, kB.
func (m *memory) swapValue(key []byte) (kb uint64, known bool) {
	switch string(key) {
	case "SwapTotal":
		return m.swap.total, true
	case "SwapFree":
		return m.swap.total - m.swap.used, true
	case "Zswap": // since Linux 5.19
		return m.zswap, true
	case "Zswapped":
		return m.zswapped, true
	}
	return 0, false
}

// machineOnly reports whether a line counts what no cgroup is charged for, or
// what it is charged for under another name (Buffers: the page cache of block
// devices is part of Cached). Containers see 0.
func machineOnly(key []byte) bool {
	switch string(key) {
	case "Buffers", "NFS_Unstable", "Bounce", "WritebackTmp", "Quicklists",
		"HighTotal", "HighFree", "ShmemPmdMapped", "FilePmdMapped",
		"HardwareCorrupted", "CmaTotal", "CmaFree", "Unaccepted", "Balloon",
		"GPUActive", "GPUReclaim":
		return true
	}
	return false
}
