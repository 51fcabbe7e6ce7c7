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
	"linuxcontainers.org/lxcfs/fs/container"
)

// Hugetlb is a container's part of the pool of huge pages of the default size,
// bytes.
type Hugetlb struct {
	// Known is false where no controller counts them, or the host has none.
	Known        bool
	Usage, Limit uint64
}

// hugePages remembers whether the host has huge pages at all, which few have:
// who has none pays nothing for them.
type hugePages struct {
	mu   sync.Mutex // guards what follows
	read time.Duration
	size string // "2MB"; "" while the pool is empty
}

// hugetlbAge is for how long the host's pool is taken to stay as it was.
const hugetlbAge = time.Second

func (g *Gatherer) hugetlb(dst *View, c *container.Container, _ Options) error {
	dst.Hugetlb = Hugetlb{}
	size, err := g.hugeSize()
	if err != nil || size == "" {
		return err
	}
	usage, limit, err := g.host.ReadHugetlb(c.Membership, size)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	dst.Hugetlb = Hugetlb{Known: err == nil, Usage: usage, Limit: limit}
	return err
}

// hugeSize returns the name of the host's default size, "" for an empty pool.
func (g *Gatherer) hugeSize() (string, error) {
	g.huge.mu.Lock()
	defer g.huge.mu.Unlock()
	now := g.clock()
	if g.huge.read != 0 && now-g.huge.read < hugetlbAge {
		return g.huge.size, nil
	}
	const name = "/proc/meminfo"
	text, err := g.host.FS.Append(nil, name)
	if err != nil {
		return "", err
	}
	pages, sizeKB, err := parseHugePages(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	g.huge.read, g.huge.size = max(now, 1), ""
	if pages > 0 && sizeKB > 0 {
		g.huge.size = cgroup.HugePageName(sizeKB << 10)
	}
	return g.huge.size, nil
}

// parseHugePages parses two lines of meminfo; those that are not there (without
// CONFIG_HUGETLB_PAGE) are 0:
//
//	HugePages_Total:       0
//	Hugepagesize:       2048 kB
func parseHugePages(meminfo []byte) (pages, sizeKB uint64, err error) {
	for line := range bytes.Lines(meminfo) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		var dst *uint64
		switch string(key) {
		case "HugePages_Total":
			dst = &pages
		case "Hugepagesize":
			dst = &sizeKB
		default:
			continue
		}
		value = bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))
		if *dst, err = strconv.ParseUint(string(value), 10, 54); err != nil {
			return 0, 0, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
		}
	}
	return pages, sizeKB, nil
}
