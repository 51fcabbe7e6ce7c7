package systree

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
)

// appendNodeMeminfo appends nodeN/meminfo (drivers/base/node.c):
//
//	Node 0 MemTotal:        7169824 kB
//	Node 0 MemFree:         3915296 kB
//	Node 0 MemUsed:         3254528 kB
//
// A limit is on the sum of all nodes, so each node has as much of it as the
// container could get there: MemTotal is the node's or the limit, MemFree that
// or what the container has left in all, whichever is less. On a machine of one
// node both are as in /proc/meminfo. Lines that memory.stat has are not above
// the container's; the others are the host's. machine is the memory of all
// nodes, kB.
func appendNodeMeminfo(dst, host []byte, m *cgroup.Memory, machine uint64) ([]byte, error) {
	out := dst
	var total, free uint64
	all := min(machine, m.Limit>>10)
	left := all - min(all, (m.Usage+1023)>>10)
	for rest := host; len(rest) > 0; {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		rest = after
		l, known := parseNodeLine(line)
		if !ok || !known {
			return dst, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
		}
		value := l.value
		switch l.name {
		case "MemTotal":
			value = min(value, m.Limit>>10)
			total = value
		case "MemFree":
			value = min(total, left)
			free = value
		case "MemUsed":
			value = total - min(free, total)
		default:
			value = min(value, bound(m, l.name)>>10)
		}
		out = l.append(out, value)
	}
	return out, nil
}

// bound returns what the container has of a line, bytes.
func bound(m *cgroup.Memory, name string) uint64 {
	s := &m.Stat
	for _, l := range []struct {
		line, stat string
		value      uint64
	}{
		{"SwapCached", "swapcached", s.Swapcached},
		{"Active", "active_anon", s.ActiveAnon + s.ActiveFile},
		{"Inactive", "inactive_anon", s.InactiveAnon + s.InactiveFile},
		{"Active(anon)", "active_anon", s.ActiveAnon},
		{"Inactive(anon)", "inactive_anon", s.InactiveAnon},
		{"Active(file)", "active_file", s.ActiveFile},
		{"Inactive(file)", "inactive_file", s.InactiveFile},
		{"Unevictable", "unevictable", s.Unevictable},
		{"Mlocked", "unevictable", s.Unevictable},
		{"Dirty", "file_dirty", s.FileDirty},
		{"Writeback", "file_writeback", s.FileWriteback},
		{"FilePages", "file", s.File},
		{"Mapped", "file_mapped", s.FileMapped},
		{"AnonPages", "anon", s.Anon},
		{"Shmem", "shmem", s.Shmem},
		{"KernelStack", "kernel_stack", s.KernelStack},
		{"PageTables", "pagetables", s.Pagetables},
		{"SecPageTables", "sec_pagetables", s.SecPagetables},
		{"KReclaimable", "slab_reclaimable", s.SlabReclaimable},
		{"Slab", "slab", s.Slab},
		{"SReclaimable", "slab_reclaimable", s.SlabReclaimable},
		{"SUnreclaim", "slab_unreclaimable", s.SlabUnreclaimable},
		{"AnonHugePages", "anon_thp", s.AnonThp},
		{"ShmemHugePages", "shmem_thp", s.ShmemThp},
		{"FileHugePages", "file_thp", s.FileThp},
	} {
		if l.line == name && s.Has(l.stat) {
			return l.value
		}
	}
	return math.MaxUint64
}

// nodeLine is one line: what is before the number, and behind it.
type nodeLine struct {
	name         string
	value        uint64
	head, behind []byte
	width        int // of the blanks and the number
}

func parseNodeLine(line []byte) (nodeLine, bool) {
	head, rest, ok := bytes.Cut(line, []byte(":"))
	words := bytes.Fields(head)
	if !ok || len(words) != 3 || string(words[0]) != "Node" {
		return nodeLine{}, false
	}
	digits := bytes.TrimLeft(rest, " ")
	end := 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	value, err := strconv.ParseUint(string(digits[:end]), 10, 64)
	return nodeLine{
		name: string(words[2]), value: value,
		head: line[:len(head)+1], behind: digits[end:],
		width: len(rest) - len(digits) + end,
	}, err == nil
}

func (l nodeLine) append(dst []byte, value uint64) []byte {
	return fmt.Appendf(append(dst, l.head...), "%*d%s\n", l.width, value, l.behind)
}

// machineTotal returns the memory of all nodes, kB; text is the meminfo of one.
func (s *system) machineTotal(text []byte) uint64 {
	nodes, err := s.hostNodes()
	if err != nil || len(nodes) < 2 {
		return memTotal(text)
	}
	var sum uint64
	for _, n := range nodes {
		text, err := s.walker.read(nil, []string{nodeTop, "node" + strconv.Itoa(n), "meminfo"})
		if err != nil {
			continue
		}
		sum += memTotal(text)
	}
	return sum
}

// memTotal returns the MemTotal line, kB, 0 for none.
func memTotal(text []byte) uint64 {
	for line := range bytes.Lines(text) {
		if l, ok := parseNodeLine(bytes.TrimSuffix(line, []byte("\n"))); ok && l.name == "MemTotal" {
			return l.value
		}
	}
	return 0
}
