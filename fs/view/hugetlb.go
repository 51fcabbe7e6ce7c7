package view

import (
	"errors"
	"io/fs"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
)

// Hugetlb is a container's part of the pool of huge pages of the default size,
// bytes.
type Hugetlb struct {
	// Known is false where no controller counts them, or the host has none.
	Known        bool
	Usage, Limit uint64
}

// hugetlb reads the container's part. Who has no huge pages at all, as few hosts
// have, pays nothing for them.
func (g *Gatherer) hugetlb(dst *View, c *container.Container, _ Options) error {
	dst.Hugetlb = Hugetlb{}
	host, err := g.hostMemory()
	if err != nil || host.HugePages == 0 || host.HugePageSize == 0 {
		return err
	}
	usage, limit, err := g.host.ReadHugetlb(c.Membership, cgroup.HugePageName(host.HugePageSize))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	dst.Hugetlb = Hugetlb{Known: err == nil, Usage: usage, Limit: limit.Value}
	return err
}
