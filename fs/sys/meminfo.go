package sys

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/memory"
	"linuxcontainers.org/lxcfs/fs/view"
)

// nodeMemory is what of a container's memory is on one node.
type nodeMemory struct {
	memory memory.Memory
	// huge pages of the default size, if the container has a part of its own
	hugeKnown           bool
	hugeTotal, hugeUsed uint64
}

// needNodeMemory are the parts of a View that nodeMemoryOf reads.
const needNodeMemory = view.NeedMemory | view.NeedHostMemory | view.NeedHugetlb | view.NeedNodes | view.NeedUsageByNode

// nodeMemoryOf returns what a container has on a node: nothing where it may not
// allocate.
func nodeMemoryOf(v *view.View, number int) nodeMemory {
	whole := memory.New(v, v.Host.Total>>10, v.Host.Swap>>10)
	nodes := v.MemoryNodes()
	if len(nodes) == 0 { // the host does not say
		return nodeMemory{memory: whole}
	}
	at := slices.IndexFunc(nodes, func(n view.HostNode) bool { return n.Number == number })
	if at < 0 {
		return nodeMemory{hugeKnown: true}
	}
	n := nodeMemory{memory: whole.Split(nodes, v.UsageByNode)[at], hugeKnown: v.Hugetlb.Known}
	if n.hugeKnown && v.Host.HugePageSize > 0 {
		pages := make([]uint64, len(nodes))
		for i := range nodes {
			pages[i] = nodes[i].HugePages
		}
		all := min(v.Host.HugePages, v.Hugetlb.Limit/v.Host.HugePageSize)
		n.hugeTotal = memory.Shares(all, pages)[at]
		n.hugeUsed = memory.Shares(min(all, v.Hugetlb.Usage/v.Host.HugePageSize), pages)[at]
	}
	return n
}

// meminfo returns a line of nodeN/meminfo in place of the host's.
func (n *nodeMemory) meminfo(name string, host uint64) uint64 {
	if n.hugeKnown {
		switch name {
		case "HugePages_Total":
			return n.hugeTotal
		case "HugePages_Free":
			return min(host, n.hugeTotal-min(n.hugeTotal, n.hugeUsed))
		case "HugePages_Surp":
			return 0
		}
	}
	if value, known := n.memory.Meminfo([]byte(name), host); known {
		return value
	}
	return host
}

// appendNodeMeminfo appends nodeN/meminfo (drivers/base/node.c):
//
//	Node 0 MemTotal:        7169824 kB
//	Node 0 MemFree:         3915296 kB
//	Node 0 MemUsed:         3254528 kB
//
// The lines of all nodes add up to those of /proc/meminfo, see
// [memory.Memory.Split]. Lines that are not known are the host's.
func appendNodeMeminfo(dst, host []byte, n *nodeMemory) ([]byte, error) {
	out := dst
	for rest := host; len(rest) > 0; {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		rest = after
		l, known := parseNodeLine(line)
		if !ok || !known {
			return dst, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
		}
		out = l.append(out, n.meminfo(l.name, l.value))
	}
	return out, nil
}

// appendNodeCounts appends nodeN/vmstat or nodeN/numastat:
//
//	nr_free_pages 978824
//	numa_hit 9795271
//
// As in /proc/vmstat, what is no figure of the memory is 0: no cgroup has it.
func appendNodeCounts(dst, host []byte, n *nodeMemory) ([]byte, error) {
	out := dst
	for rest := host; len(rest) > 0; {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		rest = after
		name, number, _ := bytes.Cut(line, []byte(" "))
		old, err := strconv.ParseUint(string(number), 10, 64)
		if !ok || err != nil {
			return dst, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
		}
		value, _ := n.memory.Vmstat(name, old)
		out = fmt.Appendf(out, "%s %d\n", name, value)
	}
	return out, nil
}

// nodeFile makes a file of a node's memory.
func nodeFile(edit func(dst, host []byte, n *nodeMemory) ([]byte, error)) editor {
	return func(e *systemVisibility, text []byte, path []string) ([]byte, error) {
		number, ok := numbered(path[len(path)-2], "node")
		var v view.View
		if !ok || !e.gather(e.served(path), needNodeMemory, &v) {
			return text, nil
		}
		n := nodeMemoryOf(&v, number)
		return edit(nil, text, &n)
	}
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
