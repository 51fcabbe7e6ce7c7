package memory

// CommitLimit returns how much address space the kernel of such a machine would
// grant with overcommit_memory 2, kB: the part of its memory that
// vm.overcommit_ratio allows, and its swap (mm/util.c, vm_commit_limit). The ratio
// is what the host's limit, less its swap, is of its memory that is not in huge
// pages (base), of which a container's limit has none; so vm.overcommit_kbytes
// is scaled, too. Never more than the host's.
func (m *Memory) CommitLimit(host, hostSwap, base uint64) uint64 {
	p := &m.pages
	allowed := floorSub(host, hostSwap) / m.unit
	base /= m.unit
	if n := min(p[total], base); n < base {
		allowed = (Scale(2*min(allowed, 1<<62), n, base) + 1) / 2 // rounded to the nearest, as both were rounded down
	}
	return ceilAdd(allowed, p[swapTotal]) * m.unit
}
