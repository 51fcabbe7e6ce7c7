package memory

// available is si_mem_available of mm/show_mem.c for a machine of the size of
// the container: what is free, and the page cache and reclaimable slabs without
// what must stay for the machine not to thrash, which is the low watermark or
// half of each. A cgroup may be charged up to its limit: nothing is reserved of
// what is free.
func (m *Memory) available(pageCache uint64) uint64 {
	p := &m.pages
	low := lowWatermark(p[total]*m.unit) / m.unit
	sum := ceilAdd(p[free], pageCache-min(pageCache/2, low))
	return min(p[total], ceilAdd(sum, p[reclaimable]-min(p[reclaimable]/2, low)))
}

// lowWatermark returns the low watermark of all zones on a machine with total kB
// of memory: min_free_kbytes, 4*sqrt(total) between 128 and 262144
// (mm/page_alloc.c, calculate_min_free_kbytes), and a quarter more.
func lowWatermark(total uint64) uint64 {
	minFree := min(max(sqrt(min(total, 1<<58)*16), 128), 262144)
	return minFree + minFree/4
}
