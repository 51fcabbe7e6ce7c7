package memory

import (
	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// figure is one of the numbers that a machine's memory is described by, pages.
type figure uint8

const (
	zero figure = iota // 0: no cgroup is charged for it
	total
	free
	used // what is not free
	available
	cached // the page cache but swapCached
	swapCached
	filePages // cached and swapCached
	activeAnon
	inactiveAnon
	activeFile
	inactiveFile
	active
	inactive
	unevictable
	swapTotal
	swapFree
	zswap
	zswapped
	dirty
	writeback
	writePending // both
	anon
	mapped
	shmem
	reclaimable
	unreclaimable
	slab // both
	kernelStack
	pageTables
	secPageTables
	vmalloc
	percpu
	anonHuge
	shmemHuge
	fileHuge
	hugetlb
	committed
	figures // how many there are
)

// Memory is the memory of a machine that has what a container, or one node of
// it, has.
type Memory struct {
	pages    [figures]uint64
	unit     uint64 // kB of a page
	hugeUnit uint64 // pages of a transparent huge page
}

// New returns the memory of a container on a host with so much memory and swap,
// kB.
//
// What the files subtract from one another is never more than what it is
// subtracted from: cached and reclaimable memory are what is left of them in
// total beside free, since free(1) gets used memory by subtraction; shmem is a
// part of cached; swapCached and zswapped are parts of the swap in use, wherever
// it shows itself: htop(1) subtracts them.
func New(v *view.View, hostTotal, hostSwap uint64) Memory {
	m := Memory{unit: unit(v), hugeUnit: max(v.HugeSize/max(v.PageSize, 1), 1)}
	s := &v.Memory.Stat
	m.count(s)
	p := &m.pages
	p[total] = hostTotal / m.unit
	if limit := v.Memory.Limit.Value; limit != cgroup.Max {
		p[total] = min(p[total], m.of(limit))
	}
	if v.NodesSize > 0 {
		p[total] = min(p[total], m.of(v.NodesSize))
	}
	p[free] = floorSub(p[total], m.ceilOf(v.Memory.Usage))
	p[used] = p[total] - p[free]
	p[cached] = min(p[used], p[cached])
	p[reclaimable] = min(p[used]-p[cached], p[reclaimable])
	p[shmem] = min(p[cached], p[shmem])
	pageCache := m.of(ceilAdd(s.ActiveFile, s.InactiveFile))
	p[available] = m.available(pageCache)
	swap := SwapOf(v, hostSwap)
	p[swapTotal], p[swapFree] = swap.Total/m.unit, (swap.Total-swap.Used)/m.unit
	m.inSwap(v)
	p[hugetlb] = m.of(s.Hugetlb) // counted where a mount option says so
	if v.Hugetlb.Known {
		p[hugetlb] = m.of(v.Hugetlb.Usage)
	}
	m.sum()
	return m
}

// unit returns the size of a page, kB.
func unit(v *view.View) uint64 { return max(v.PageSize>>10, 1) }

// of returns how many whole pages so many bytes are.
func (m *Memory) of(bytes uint64) uint64 { return bytes >> 10 / m.unit }

// ceilOf returns how many pages hold so many bytes.
func (m *Memory) ceilOf(bytes uint64) uint64 {
	return ceilAdd(ceilAdd(bytes, 1023)>>10, m.unit-1) / m.unit
}

// count takes over what memory.stat has. Lines that memory.stat of this kernel,
// or of v1, does not have are 0.
func (m *Memory) count(s *cgroup.MemoryStat) {
	for f, bytes := range [figures]uint64{
		cached: floorSub(s.File, s.Swapcached), swapCached: s.Swapcached,
		activeAnon: s.ActiveAnon, inactiveAnon: s.InactiveAnon,
		activeFile: s.ActiveFile, inactiveFile: s.InactiveFile, unevictable: s.Unevictable,
		dirty: s.FileDirty, writeback: s.FileWriteback,
		anon: s.Anon, mapped: s.FileMapped, shmem: s.Shmem,
		reclaimable: s.SlabReclaimable, unreclaimable: s.SlabUnreclaimable,
		kernelStack: s.KernelStack, pageTables: s.Pagetables, secPageTables: s.SecPagetables,
		vmalloc: s.Vmalloc, percpu: s.Percpu,
		anonHuge: s.AnonThp, shmemHuge: s.ShmemThp, fileHuge: s.FileThp,
	} {
		m.pages[f] = m.of(bytes)
	}
}

// inSwap takes over what is in swap: in the swap cache, and in zswap.
func (m *Memory) inSwap(v *view.View) {
	p := &m.pages
	swapUsed := p[swapTotal] - p[swapFree]
	p[swapCached] = min(swapUsed, p[swapCached])
	if v.ZswapShown {
		s := &v.Memory.Stat
		p[zswap], p[zswapped] = m.of(s.Zswap), min(swapUsed-p[swapCached], m.of(s.Zswapped))
		if p[zswap] == 0 {
			p[zswap] = m.of(v.Memory.ZswapUsage)
		}
	}
	p[committed] = ceilAdd(ceilAdd(p[anon], p[shmem]), swapUsed-p[swapCached])
	p[committed] = min(p[committed], ceilAdd(p[total], p[swapTotal]))
}

// sum sets the figures that are sums of others.
func (m *Memory) sum() {
	p := &m.pages
	p[filePages] = ceilAdd(p[cached], p[swapCached])
	p[active] = ceilAdd(p[activeAnon], p[activeFile])
	p[inactive] = ceilAdd(p[inactiveAnon], p[inactiveFile])
	p[writePending] = ceilAdd(p[dirty], p[writeback])
	p[slab] = ceilAdd(p[reclaimable], p[unreclaimable])
}
