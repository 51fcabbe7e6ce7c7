package memory

import (
	"slices"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// Split returns the memory of each node. Their figures add up to m's, if the
// nodes together are not smaller than m.
//
// A limit is on the sum of all nodes. Each node has of it what its size is of
// all their sizes, but not less than is in use there; the others then have less.
// Of each other figure it has what memory.numa_stat, usage, says is there, in
// proportion: the files are not read at the same time, and not all that is
// charged is on some node. Where memory.numa_stat lacks a line, as most on v1,
// that of all anonymous memory, of all files, or of all that is in use stands
// for it.
func (m *Memory) Split(nodes []view.HostNode, usage []cgroup.NodeMemory) []Memory {
	s := splitter{
		whole: m, sizes: make([]uint64, len(nodes)),
		parts: make([]Memory, len(nodes)), known: make([]Memory, len(nodes)),
	}
	for i, n := range nodes {
		s.parts[i] = Memory{unit: m.unit, hugeUnit: m.hugeUnit}
		s.known[i] = s.parts[i]
		s.sizes[i] = m.of(n.Size)
		if at := slices.IndexFunc(usage, func(u cgroup.NodeMemory) bool { return u.Node == n.Number }); at >= 0 {
			s.known[i].count(&usage[at].Stat)
			s.known[i].pages[used] = m.of(usage[at].Usage)
		}
	}
	s.split()
	return s.parts
}

// splitter is one Split under way.
type splitter struct {
	whole *Memory
	parts []Memory // so far
	known []Memory // what memory.numa_stat says
	sizes []uint64 // of the nodes, pages
}

func (s *splitter) split() {
	s.put(used, within(s.whole.pages[used], s.weights(used), s.sizes))
	s.put(total, above(s.whole.pages[total], s.sizes, s.column(used)))
	s.put(free, s.less(total, used))
	s.put(cached, within(s.whole.pages[cached], s.weights(cached), s.column(used)))
	s.put(reclaimable, within(s.whole.pages[reclaimable], s.weights(reclaimable), s.less(used, cached)))
	s.put(shmem, within(s.whole.pages[shmem], s.weights(shmem), s.column(cached)))
	for f := available; f < figures; f++ {
		if f != cached && f != reclaimable && f != shmem {
			s.put(f, Shares(s.whole.pages[f], s.weights(f)))
		}
	}
	for i := range s.parts {
		s.parts[i].sum()
	}
}

// put sets a figure of all nodes.
func (s *splitter) put(f figure, values []uint64) {
	for i := range s.parts {
		s.parts[i].pages[f] = values[i]
	}
}

// column returns a figure of all nodes.
func (s *splitter) column(f figure) []uint64 { return column(s.parts, f) }

// less returns the differences of two figures of all nodes.
func (s *splitter) less(f, subtract figure) []uint64 {
	values := s.column(f)
	for i := range values {
		values[i] = floorSub(values[i], s.parts[i].pages[subtract])
	}
	return values
}

// weights returns in which proportion a figure is split.
func (s *splitter) weights(f figure) []uint64 {
	for _, values := range [...][]uint64{column(s.known, f), column(s.known, kin(f)), s.column(used)} {
		if slices.ContainsFunc(values, func(v uint64) bool { return v > 0 }) {
			return values
		}
	}
	return s.sizes
}

// kin returns the figure that one is a part of.
func kin(f figure) figure {
	switch f {
	case cached, swapCached, activeFile, inactiveFile, dirty, writeback, mapped, shmem, fileHuge, shmemHuge:
		return cached
	case anon, activeAnon, inactiveAnon, anonHuge:
		return anon
	}
	return used
}

func column(nodes []Memory, f figure) []uint64 {
	values := make([]uint64, len(nodes))
	for i := range nodes {
		values[i] = nodes[i].pages[f]
	}
	return values
}
