package cgroup

import (
	"bytes"
	"slices"
)

// NodeMemory is what a cgroup and all below it have on one memory node.
type NodeMemory struct {
	Node int
	// Usage is what is charged to the cgroup there, bytes. What is not on a node
	// by its nature (per-CPU memory, socket buffers, zswap) is not in it.
	Usage uint64
	// Stat has the lines that are known by node: on v1 Anon and File, the LRU
	// lists, and Unevictable, which is then in neither.
	Stat MemoryStat
}

// maxNode is the highest number of a node, MAX_NUMNODES - 1
// (include/linux/numa.h).
const maxNode = 1<<10 - 1

// ReadNodeMemory reads memory.numa_stat (v2: since Linux 5.10; CONFIG_NUMA) of
// the cgroup whose usage m's is, see [Memory.From], in dst's storage. The
// error is fs.ErrNotExist where there is none.
func (h *Host) ReadNodeMemory(m Membership, dst []NodeMemory) ([]NodeMemory, error) {
	const file = "memory.numa_stat"
	dst = dst[:0]
	p, err := h.place(m, "memory")
	if err != nil {
		return dst, err
	}
	buf := h.buffer()
	defer h.release(buf)
	b, p, err := h.charged(buf, p, file)
	if err != nil {
		return dst, err
	}
	if p.hierarchy.Version == 1 {
		dst, err = parseNumaStatV1(b, h.PageSize, dst)
	} else {
		dst, err = parseNumaStat(b, dst)
	}
	if err != nil {
		return dst, formatIn(file, p.dir, err)
	}
	return dst, nil
}

// parseNumaStat parses memory.numa_stat of v2, lines of memory.stat by node:
//
//	anon N0=6213632 N1=0
//	kernel_stack N0=98304 N1=16384
//
// Lines come and go with the kernel's release; unknown ones are skipped.
func parseNumaStat(content []byte, dst []NodeMemory) ([]NodeMemory, error) {
	line := 0
	err := flatKeyed(content, func(key, values []byte) error {
		after := line
		return eachNode(key, values, &dst, func(m *NodeMemory, value []byte) error {
			line = after
			return m.Stat.setLine(&line, 2, key, value)
		})
	})
	for i := range dst {
		s := &dst[i].Stat
		for _, part := range [...]uint64{
			s.Anon, s.File, s.KernelStack, s.Pagetables, s.SecPagetables, s.SlabReclaimable, s.SlabUnreclaimable,
		} {
			dst[i].Usage += min(part, 1<<60) // no sum is too large
		}
	}
	return dst, err
}

// parseNumaStatV1 parses memory.numa_stat of v1, pages:
//
//	total=7007 N0=7007
//	hierarchical_total=855556 N0=855556
//	hierarchical_file=847280 N0=847280
//
// hierarchical_ lines are of the cgroup and all below it; the others are skipped.
func parseNumaStatV1(content []byte, pageSize uint64, dst []NodeMemory) ([]NodeMemory, error) {
	err := flatKeyed(content, func(key, values []byte) error {
		name, _, ok := bytes.Cut(key, []byte("="))
		if !ok {
			return formatError(key)
		}
		name, ok = bytes.CutPrefix(name, []byte("hierarchical_"))
		if !ok {
			return nil
		}
		return eachNode(key, values, &dst, func(m *NodeMemory, value []byte) error {
			return m.setV1(name, value, pageSize)
		})
	})
	return dst, err
}

// setV1 sets what a line of v1 says of one node.
func (m *NodeMemory) setV1(name, value []byte, pageSize uint64) error {
	var field *uint64
	switch string(name) {
	case "total":
		field = &m.Usage
	case "anon":
		field = &m.Stat.Anon
	case "file":
		field = &m.Stat.File
	case "unevictable":
		field = &m.Stat.Unevictable
	default:
		return nil
	}
	if err := setCounter(field, name, value); err != nil {
		return err
	}
	*field = min(*field, (1<<60)/max(pageSize, 1)) * pageSize
	return nil
}

// eachNode calls f with each value of a line: "N0=6213632 N1=0".
func eachNode(key, values []byte, all *[]NodeMemory, f func(m *NodeMemory, value []byte) error) error {
	if len(values) == 0 {
		return formatError(key)
	}
	rest := values
	for at := 0; len(rest) > 0; at++ {
		var field []byte
		field, rest = cutField(rest)
		name, value, ok := bytes.Cut(field, []byte("="))
		number, numbered := bytes.CutPrefix(name, []byte("N"))
		node, valid := parseDigits(number)
		if !ok || !numbered || !valid || node > maxNode {
			return formatError([]byte(quoted(key, values)))
		}
		if err := f(nodeAt(all, at, int(node)), value); err != nil {
			return err
		}
	}
	return nil
}

// nodeAt returns the entry of a node, which is made if it is new. All lines have
// the nodes in the same order: at is where it is but for the first line.
func nodeAt(all *[]NodeMemory, at, node int) *NodeMemory {
	if at >= len(*all) || (*all)[at].Node != node {
		at = slices.IndexFunc(*all, func(m NodeMemory) bool { return m.Node == node })
	}
	if at < 0 {
		at = len(*all)
		*all = append(*all, NodeMemory{Node: node})
	}
	return &(*all)[at]
}
