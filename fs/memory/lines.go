package memory

// measure is what a line of vmstat counts in.
type measure uint8

const (
	inPages measure = iota
	inKB
	inHugePages // transparent ones
	inPart      // pages, not more than the host's line has
)

// line says where a figure is printed: in meminfo and nodeN/meminfo (kB), and in
// vmstat and nodeN/vmstat.
type line struct {
	meminfo, vmstat string
	figure          figure
	measure         measure
}

// lines has the names of fs/proc/meminfo.c, drivers/base/node.c and
// mm/vmstat.c, vmstat_text.
var lines = [...]line{
	{"MemTotal", "", total, 0},
	{"MemFree", "nr_free_pages", free, 0},
	{"MemAvailable", "", available, 0},
	{"MemUsed", "", used, 0}, // nodeN/meminfo
	{"Buffers", "", zero, 0}, // the page cache of block devices is in Cached
	{"Cached", "", cached, 0},
	{"FilePages", "nr_file_pages", filePages, 0}, // nodeN/meminfo
	{"SwapCached", "nr_swapcached", swapCached, 0},
	{"Active", "", active, 0},
	{"Inactive", "", inactive, 0},
	{"Active(anon)", "nr_active_anon", activeAnon, 0},
	{"Inactive(anon)", "nr_inactive_anon", inactiveAnon, 0},
	{"Active(file)", "nr_active_file", activeFile, 0},
	{"Inactive(file)", "nr_inactive_file", inactiveFile, 0},
	{"Unevictable", "nr_unevictable", unevictable, 0},
	{"Mlocked", "nr_mlock", unevictable, inPart}, // no cgroup is charged for locked memory as such
	{"HighTotal", "", zero, 0},                   // 32-bit
	{"HighFree", "", zero, 0},
	{"LowTotal", "", total, 0},
	{"LowFree", "", free, 0},
	{"SwapTotal", "", swapTotal, 0},
	{"SwapFree", "", swapFree, 0},
	{"Zswap", "", zswap, 0}, // since Linux 5.19
	{"Zswapped", "", zswapped, 0},
	{"Dirty", "nr_dirty", dirty, 0},
	{"Writeback", "nr_writeback", writeback, 0},
	{"AnonPages", "nr_anon_pages", anon, 0},
	{"Mapped", "nr_mapped", mapped, 0},
	{"Shmem", "nr_shmem", shmem, 0},
	{"KReclaimable", "", reclaimable, 0},
	{"Slab", "", slab, 0},
	{"SReclaimable", "nr_slab_reclaimable", reclaimable, 0},
	{"SUnreclaim", "nr_slab_unreclaimable", unreclaimable, 0},
	{"KernelStack", "nr_kernel_stack", kernelStack, inKB},
	{"PageTables", "nr_page_table_pages", pageTables, 0},
	{"SecPageTables", "nr_sec_page_table_pages", secPageTables, 0},
	{"NFS_Unstable", "", zero, 0},
	{"Bounce", "", zero, 0},
	{"WritebackTmp", "", zero, 0},
	{"VmallocUsed", "", vmalloc, 0},
	{"Percpu", "", percpu, 0},
	{"AnonHugePages", "nr_anon_transparent_hugepages", anonHuge, inHugePages},
	{"ShmemHugePages", "nr_shmem_hugepages", shmemHuge, inHugePages},
	{"FileHugePages", "nr_file_hugepages", fileHuge, inHugePages},
	{"ShmemPmdMapped", "", zero, 0},
	{"FilePmdMapped", "", zero, 0},
	{"Quicklists", "", zero, 0},
	{"HardwareCorrupted", "", zero, 0},
	{"CmaTotal", "", zero, 0},
	{"CmaFree", "", zero, 0},
	{"Unaccepted", "", zero, 0},
	{"Balloon", "", zero, 0},
	{"GPUActive", "", zero, 0},
	{"GPUReclaim", "", zero, 0},
	{"Committed_AS", "", committed, inPart},
	{"", "nr_free_pages_blocks", free, inPart}, // of whole blocks; since Linux 6.16
	{"", "nr_zone_inactive_anon", inactiveAnon, 0},
	{"", "nr_zone_active_anon", activeAnon, 0},
	{"", "nr_zone_inactive_file", inactiveFile, 0},
	{"", "nr_zone_active_file", activeFile, 0},
	{"", "nr_zone_unevictable", unevictable, 0},
	{"", "nr_zone_write_pending", writePending, 0},
	{"", "nr_hugetlb", hugetlb, 0}, // since Linux 6.13
}

// byMeminfo and byVmstat find lines by their names.
var (
	byMeminfo = index(func(l *line) string { return l.meminfo })
	byVmstat  = index(func(l *line) string { return l.vmstat })
)

func index(name func(*line) string) map[string]*line {
	all := make(map[string]*line)
	for i := range lines {
		if n := name(&lines[i]); n != "" {
			all[n] = &lines[i]
		}
	}
	return all
}

// Meminfo returns the line of meminfo called name, kB, in place of the host's;
// known is false for a line that is about the machine, or new.
func (m *Memory) Meminfo(name []byte, host uint64) (kB uint64, known bool) {
	l := byMeminfo[string(name)]
	if l == nil {
		return 0, false
	}
	kB = m.pages[l.figure] * m.unit
	if l.measure == inPart {
		kB = min(kB, host)
	}
	return kB, true
}

// Vmstat returns the line of vmstat called name in place of the host's; known is
// false for one that is no figure of meminfo.
func (m *Memory) Vmstat(name []byte, host uint64) (n uint64, known bool) {
	l := byVmstat[string(name)]
	if l == nil {
		return 0, false
	}
	n = m.pages[l.figure]
	switch l.measure {
	case inKB:
		n *= m.unit
	case inHugePages:
		n /= max(m.hugeUnit, 1)
	case inPart:
		n = min(n, host)
	}
	return n, true
}
