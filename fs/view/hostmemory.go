package view

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
)

// HostMemory is what the host has in all, bytes.
type HostMemory struct {
	Total, Swap uint64
	// HugePages is how many huge pages of the default size, HugePageSize, are in
	// its pool.
	HugePages, HugePageSize uint64
	// Nodes are the memory nodes that have memory, by their numbers; none on a
	// kernel without CONFIG_NUMA. They are not to be changed.
	Nodes []HostNode
}

// HostNode is one memory node of the host.
type HostNode struct {
	Number    int
	Size      uint64 // bytes
	HugePages uint64 // of the default size
}

// nodesSize returns how much memory the nodes have from which a container may
// allocate, 0 where that is all the host has.
func (g *Gatherer) nodesSize(c *container.Container) (uint64, error) {
	host, err := g.hostMemory()
	if err != nil || len(host.Nodes) < 2 {
		return 0, err
	}
	nodes, err := g.host.ReadMemoryNodes(c.Membership)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	var size uint64
	all := true
	for _, n := range host.Nodes {
		if nodes.Has(n.Number) {
			size += n.Size
		} else {
			all = false
		}
	}
	if all {
		size = 0
	}
	return size, err
}

// MemoryNodes returns the nodes that the container may allocate from; all, if
// the host has none of them.
func (v *View) MemoryNodes() []HostNode {
	if v.Nodes == nil {
		return v.Host.Nodes
	}
	var may []HostNode
	for _, n := range v.Host.Nodes {
		if v.Nodes.Has(n.Number) {
			may = append(may, n)
		}
	}
	if len(may) == 0 {
		return v.Host.Nodes
	}
	return may
}

// hostMemory remembers what the host has, which seldom changes.
type hostMemory struct {
	mu   sync.Mutex // guards what follows
	read time.Duration
	HostMemory
}

// hostMemoryAge is for how long the host's memory is taken to stay as it was.
const hostMemoryAge = time.Second

func (g *Gatherer) fillHost(dst *View, _ *container.Container, _ Options) (err error) {
	dst.Host, err = g.hostMemory()
	return err
}

// hostMemory returns what the host has.
func (g *Gatherer) hostMemory() (HostMemory, error) {
	m := &g.hostHas
	m.mu.Lock()
	defer m.mu.Unlock()
	now := g.clock()
	if m.read != 0 && now-m.read < hostMemoryAge {
		return m.HostMemory, nil
	}
	const name = "/proc/meminfo"
	text, err := g.host.FS.Append(nil, name)
	if err != nil {
		return HostMemory{}, err
	}
	has, err := parseHostMemory(text)
	if err != nil {
		return HostMemory{}, fmt.Errorf("%s: %w", name, err)
	}
	if has.Nodes, err = g.hostNodes(); err != nil {
		return HostMemory{}, err
	}
	m.read, m.HostMemory = max(now, 1), has
	return has, nil
}

// hostNodes returns the nodes that have memory.
func (g *Gatherer) hostNodes() ([]HostNode, error) {
	const top = "/sys/devices/system/node/"
	numbers, err := g.host.ReadCPUList(top + "has_memory")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var nodes []HostNode
	for number := range numbers.All() {
		name := fmt.Sprintf("%snode%d/meminfo", top, number)
		text, err := g.host.FS.Append(nil, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken away meanwhile
		}
		if err != nil {
			return nil, err
		}
		n, err := parseNode(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		n.Number = number
		nodes = append(nodes, n)
	}
	return nodes, err
}

// parseNode parses two lines of nodeN/meminfo (drivers/base/node.c); the second
// is not there without CONFIG_HUGETLB_PAGE:
//
//	Node 0 MemTotal:        7169824 kB
//	Node 0 HugePages_Total:     0
func parseNode(meminfo []byte) (HostNode, error) {
	var n HostNode
	for line := range bytes.Lines(meminfo) {
		head, value, _ := bytes.Cut(line, []byte(":"))
		var err error
		switch {
		case bytes.HasSuffix(head, []byte(" MemTotal")):
			n.Size, err = parseAmount(line, value)
		case bytes.HasSuffix(head, []byte(" HugePages_Total")):
			n.HugePages, err = parseAmount(line, value)
		}
		if err != nil {
			return HostNode{}, err
		}
	}
	return n, nil
}

// parseHostMemory parses four lines of meminfo; those that are not there (huge
// pages without CONFIG_HUGETLB_PAGE) are 0:
//
//	MemTotal:       24684092 kB
//	SwapTotal:             0 kB
//	HugePages_Total:       0
//	Hugepagesize:       2048 kB
func parseHostMemory(meminfo []byte) (m HostMemory, err error) {
	for line := range bytes.Lines(meminfo) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		var dst *uint64
		switch string(key) {
		case "MemTotal":
			dst = &m.Total
		case "SwapTotal":
			dst = &m.Swap
		case "HugePages_Total":
			dst = &m.HugePages
		case "Hugepagesize":
			dst = &m.HugePageSize
		default:
			continue
		}
		if *dst, err = parseAmount(line, value); err != nil {
			return HostMemory{}, err
		}
	}
	return m, nil
}

// parseAmount parses what follows the colon of a line: a count, or kB, which it
// returns as bytes.
func parseAmount(line, value []byte) (uint64, error) {
	value, isKB := bytes.CutSuffix(bytes.TrimSpace(value), []byte(" kB"))
	n, err := strconv.ParseUint(string(value), 10, 54)
	if err != nil {
		return 0, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
	}
	if isKB {
		n <<= 10
	}
	return n, nil
}
