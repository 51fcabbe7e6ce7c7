package cgroup

// MemoryStat is memory.stat, by the names of cgroup-v2.rst: bytes, for the
// cgroup and all below it. On v1 it is filled from the total_* lines that mean
// the same; [MemoryStat.Has] tells 0 from absent.
type MemoryStat struct {
	Anon            uint64 // v1 total_rss
	File            uint64 // v1 total_cache; with Shmem in it
	Kernel          uint64 // since Linux 5.18
	KernelStack     uint64
	Pagetables      uint64 // since Linux 5.11
	SecPagetables   uint64 // since Linux 6.1
	Percpu          uint64
	Sock            uint64
	Vmalloc         uint64 // since Linux 5.19
	Shmem           uint64 // v1 total_shmem
	Zswap           uint64 // since Linux 5.19
	Zswapped        uint64 // since Linux 5.19
	FileMapped      uint64 // v1 total_mapped_file
	FileDirty       uint64 // v1 total_dirty
	FileWriteback   uint64 // v1 total_writeback
	Swapcached      uint64 // since Linux 5.12; v1 total_swapcached (since 6.6)
	Swap            uint64 // v1 total_swap only
	AnonThp         uint64 // v1 total_rss_huge
	FileThp         uint64 // since Linux 5.11
	ShmemThp        uint64 // since Linux 5.11
	InactiveAnon    uint64 // v1 total_inactive_anon
	ActiveAnon      uint64 // v1 total_active_anon
	InactiveFile    uint64 // v1 total_inactive_file
	ActiveFile      uint64 // v1 total_active_file
	Unevictable     uint64 // v1 total_unevictable
	SlabReclaimable uint64
	SlabUnreclaim   uint64 // slab_unreclaimable
	Slab            uint64
	Hugetlb         uint64 // since Linux 6.13, mount option memory_hugetlb_accounting

	// Counts, not bytes.
	Pgfault    uint64 // v1 total_pgfault
	Pgmajfault uint64 // v1 total_pgmajfault
	Pswpin     uint64 // since Linux 6.13
	Pswpout    uint64 // since Linux 6.13
	Pgpgin     uint64 // v1 total_pgpgin only
	Pgpgout    uint64 // v1 total_pgpgout only

	present uint64
}

// Has reports whether the file had the line called name, the name being that of
// cgroup-v2.rst ("slab_reclaimable") on v1 too.
func (s *MemoryStat) Has(name string) bool { return false }
