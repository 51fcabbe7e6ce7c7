package view

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/container"
)

// HostMemory is what the host has in all, bytes.
type HostMemory struct {
	Total, Swap uint64
	// HugePages is how many huge pages of the default size, HugePageSize, are in
	// its pool.
	HugePages, HugePageSize uint64
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
	m.read, m.HostMemory = max(now, 1), has
	return has, nil
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
		value, isKB := bytes.CutSuffix(bytes.TrimSpace(value), []byte(" kB"))
		if *dst, err = strconv.ParseUint(string(value), 10, 54); err != nil {
			return HostMemory{}, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
		}
		if isKB {
			*dst <<= 10
		}
	}
	return m, nil
}
