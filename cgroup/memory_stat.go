package cgroup

import (
	"bytes"
	"math"
)

// MemoryStat is memory.stat, by the names of cgroup-v2.rst: bytes, for the
// cgroup and all below it. On v1 it is filled from the total_* lines that mean
// the same; [MemoryStat.Has] tells 0 from absent.
type MemoryStat struct {
	Anon              uint64 // v1 total_rss
	File              uint64 // v1 total_cache; with Shmem in it
	Kernel            uint64 // since Linux 5.18
	KernelStack       uint64
	Pagetables        uint64 // since Linux 5.11
	SecPagetables     uint64 // since Linux 6.1
	Percpu            uint64
	Sock              uint64
	Vmalloc           uint64 // since Linux 5.19
	Shmem             uint64 // v1 total_shmem
	Zswap             uint64 // since Linux 5.19
	Zswapped          uint64 // since Linux 5.19
	FileMapped        uint64 // v1 total_mapped_file
	FileDirty         uint64 // v1 total_dirty
	FileWriteback     uint64 // v1 total_writeback
	Swapcached        uint64 // since Linux 5.12; v1 total_swapcached
	Swap              uint64 // v1 total_swap only
	AnonThp           uint64 // v1 total_rss_huge
	FileThp           uint64 // since Linux 5.11
	ShmemThp          uint64 // since Linux 5.11
	InactiveAnon      uint64 // v1 total_inactive_anon
	ActiveAnon        uint64 // v1 total_active_anon
	InactiveFile      uint64 // v1 total_inactive_file
	ActiveFile        uint64 // v1 total_active_file
	Unevictable       uint64 // v1 total_unevictable
	SlabReclaimable   uint64
	SlabUnreclaimable uint64
	Slab              uint64
	Hugetlb           uint64 // since Linux 6.13, mount option memory_hugetlb_accounting

	// Counts, not bytes.
	Pgfault    uint64 // v1 total_pgfault
	Pgmajfault uint64 // v1 total_pgmajfault
	Pswpin     uint64 // since Linux 6.13
	Pswpout    uint64 // since Linux 6.13
	Pgpgin     uint64 // v1 total_pgpgin only
	Pgpgout    uint64 // v1 total_pgpgout only

	events  [len(memoryEvents)]uint64
	present uint64
}

// memoryEvents are the other lines that count events, of all releases. They have
// the names of the lines of /proc/vmstat that count the same for the machine,
// but for pgscan and pgsteal, which are all kinds of each together. v1 has the
// first two only, with total_ before them.
var memoryEvents = [...]string{
	"workingset_refault_anon", "workingset_refault_file", "workingset_activate_anon", "workingset_activate_file",
	"workingset_restore_anon", "workingset_restore_file", "workingset_nodereclaim",
	"pgdemote_kswapd", "pgdemote_direct", "pgdemote_khugepaged", "pgdemote_proactive", "pgpromote_success",
	"pgscan", "pgsteal",
	"pgscan_kswapd", "pgscan_direct", "pgscan_khugepaged", "pgscan_proactive",
	"pgsteal_kswapd", "pgsteal_direct", "pgsteal_khugepaged", "pgsteal_proactive",
	"pgrefill", "pgactivate", "pgdeactivate", "pglazyfree", "pglazyfreed",
	"swpin_zero", "swpout_zero", "zswpin", "zswpout", "zswpwb",
	"thp_fault_alloc", "thp_collapse_alloc", "thp_swpout", "thp_swpout_fallback",
	"numa_pages_migrated", "numa_pte_updates", "numa_hint_faults",
}

// Event returns the count of events called name, 0 where the file has none;
// known is false for what is not one of memoryEvents.
func (s *MemoryStat) Event(name string) (count uint64, known bool) {
	i, known := eventIndex[name]
	if !known {
		return 0, false
	}
	return s.events[i], true
}

// eventIndex has the place of each of memoryEvents.
var eventIndex = func() map[string]int {
	at := make(map[string]int)
	for i, name := range memoryEvents {
		at[name] = i
	}
	return at
}()

// Has reports whether the file had the line called name, the name being that of
// cgroup-v2.rst ("slab_reclaimable") on v1 too.
func (s *MemoryStat) Has(name string) bool {
	for i := range memoryStatLines {
		if memoryStatLines[i].v2 == name {
			return s.present>>i&1 == 1
		}
	}
	return false
}

// memoryStatLines are the lines that are known, in the order in which v2 prints
// them (mm/memcontrol.c, memory_stats). The names without a v2 line of their own
// are v1's. Has keeps a bit for each: at most 64.
var memoryStatLines = [...]struct {
	v2, v1 string
	field  func(*MemoryStat) *uint64
}{
	{"anon", "total_rss", func(s *MemoryStat) *uint64 { return &s.Anon }},
	{"file", "total_cache", func(s *MemoryStat) *uint64 { return &s.File }},
	{"kernel", "", func(s *MemoryStat) *uint64 { return &s.Kernel }},
	{"kernel_stack", "", func(s *MemoryStat) *uint64 { return &s.KernelStack }},
	{"pagetables", "", func(s *MemoryStat) *uint64 { return &s.Pagetables }},
	{"sec_pagetables", "", func(s *MemoryStat) *uint64 { return &s.SecPagetables }},
	{"percpu", "", func(s *MemoryStat) *uint64 { return &s.Percpu }},
	{"sock", "", func(s *MemoryStat) *uint64 { return &s.Sock }},
	{"vmalloc", "", func(s *MemoryStat) *uint64 { return &s.Vmalloc }},
	{"shmem", "total_shmem", func(s *MemoryStat) *uint64 { return &s.Shmem }},
	{"zswap", "", func(s *MemoryStat) *uint64 { return &s.Zswap }},
	{"zswapped", "", func(s *MemoryStat) *uint64 { return &s.Zswapped }},
	{"file_mapped", "total_mapped_file", func(s *MemoryStat) *uint64 { return &s.FileMapped }},
	{"file_dirty", "total_dirty", func(s *MemoryStat) *uint64 { return &s.FileDirty }},
	{"file_writeback", "total_writeback", func(s *MemoryStat) *uint64 { return &s.FileWriteback }},
	{"swap", "total_swap", func(s *MemoryStat) *uint64 { return &s.Swap }},
	{"swapcached", "total_swapcached", func(s *MemoryStat) *uint64 { return &s.Swapcached }},
	{"anon_thp", "total_rss_huge", func(s *MemoryStat) *uint64 { return &s.AnonThp }},
	{"file_thp", "", func(s *MemoryStat) *uint64 { return &s.FileThp }},
	{"shmem_thp", "", func(s *MemoryStat) *uint64 { return &s.ShmemThp }},
	{"pgpgin", "total_pgpgin", func(s *MemoryStat) *uint64 { return &s.Pgpgin }},
	{"pgpgout", "total_pgpgout", func(s *MemoryStat) *uint64 { return &s.Pgpgout }},
	{"pgfault", "total_pgfault", func(s *MemoryStat) *uint64 { return &s.Pgfault }},
	{"pgmajfault", "total_pgmajfault", func(s *MemoryStat) *uint64 { return &s.Pgmajfault }},
	{"inactive_anon", "total_inactive_anon", func(s *MemoryStat) *uint64 { return &s.InactiveAnon }},
	{"active_anon", "total_active_anon", func(s *MemoryStat) *uint64 { return &s.ActiveAnon }},
	{"inactive_file", "total_inactive_file", func(s *MemoryStat) *uint64 { return &s.InactiveFile }},
	{"active_file", "total_active_file", func(s *MemoryStat) *uint64 { return &s.ActiveFile }},
	{"unevictable", "total_unevictable", func(s *MemoryStat) *uint64 { return &s.Unevictable }},
	{"slab_reclaimable", "", func(s *MemoryStat) *uint64 { return &s.SlabReclaimable }},
	{"slab_unreclaimable", "", func(s *MemoryStat) *uint64 { return &s.SlabUnreclaimable }},
	{"slab", "", func(s *MemoryStat) *uint64 { return &s.Slab }},
	{"hugetlb", "", func(s *MemoryStat) *uint64 { return &s.Hugetlb }},
	{"pswpin", "", func(s *MemoryStat) *uint64 { return &s.Pswpin }},
	{"pswpout", "", func(s *MemoryStat) *uint64 { return &s.Pswpout }},
}

// hierarchicalLimits are the smallest limits of a v1 cgroup and its ancestors,
// as memory.stat gives them.
type hierarchicalLimits struct{ memory, memsw limitLine }

// limitLine is one of them: bytes, [Max] for none.
type limitLine struct {
	bytes   uint64
	present bool
}

const memoryStatFile = "memory.stat"

// readMemoryStat reads memory.stat.
func (h *Host) readMemoryStat(buf *[]byte, p place, dst *MemoryStat) (hierarchicalLimits, error) {
	b, err := h.content(buf, p.dir, memoryStatFile)
	if err != nil {
		return hierarchicalLimits{}, err
	}
	var limits hierarchicalLimits
	if p.hierarchy.Version == 1 {
		limits, err = parseMemoryStatV1(b, dst)
	} else {
		err = parseMemoryStat(b, dst)
	}
	if err != nil {
		return limits, formatIn(memoryStatFile, p.dir, err)
	}
	return limits, nil
}

// parseMemoryStat parses memory.stat of v2, flat keyed:
//
//	anon 1548288
//	file 9265152
//
// Lines come and go with the kernel's release; unknown ones are skipped.
func parseMemoryStat(content []byte, dst *MemoryStat) error {
	*dst = MemoryStat{}
	next := 0
	return flatKeyed(content, func(key, value []byte) error {
		return dst.setLine(&next, 2, key, value)
	})
}

// parseMemoryStatV1 parses memory.stat of v1, flat keyed:
//
//	cache 9265152
//	hierarchical_memory_limit 9223372036854771712
//	total_cache 1351299072
//
// total_ lines are of the cgroup and all below it; the others are skipped.
func parseMemoryStatV1(content []byte, dst *MemoryStat) (hierarchicalLimits, error) {
	*dst = MemoryStat{}
	next, limits := 0, hierarchicalLimits{}
	err := flatKeyed(content, func(key, value []byte) error {
		switch {
		case string(key) == "hierarchical_memory_limit":
			return limits.memory.set(key, value)
		case string(key) == "hierarchical_memsw_limit":
			return limits.memsw.set(key, value)
		case bytes.HasPrefix(key, []byte("total_")):
			return dst.setLine(&next, 1, key, value)
		}
		return nil
	})
	return limits, err
}

// set is set for a v1 limit, see parseLimitV1.
func (l *limitLine) set(key, value []byte) error {
	err := set(&l.bytes, key, value)
	if unlimitedV1(l.bytes) {
		l.bytes = Max
	}
	l.present = err == nil
	return err
}

// setLine sets the field of a line. The kernel prints the lines in our order,
// so the search begins after the last line found (*next).
func (s *MemoryStat) setLine(next *int, version int, key, value []byte) error {
	for n := range memoryStatLines {
		i := (*next + n) % len(memoryStatLines)
		line := &memoryStatLines[i]
		name := line.v2
		if version == 1 {
			name = line.v1
		}
		if name == "" || name != string(key) {
			continue
		}
		*next = i + 1
		s.present |= 1 << i
		field := line.field(s)
		return setCounter(field, key, value)
	}
	if version == 1 {
		key = bytes.TrimPrefix(key, []byte("total_"))
	}
	if i, known := eventIndex[string(key)]; known {
		return setCounter(&s.events[i], key, value)
	}
	return nil
}

// setCounter is set for a counter, which is below zero while its per-CPU deltas
// are not yet summed.
func setCounter(dst *uint64, key, value []byte) error {
	if err := set(dst, key, value); err != nil {
		return err
	}
	if *dst > math.MaxInt64 {
		*dst = 0
	}
	return nil
}
