package daemon

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"strings"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/dbusapi"
	"linuxcontainers.org/lxcfs/fs/proc"
	"linuxcontainers.org/lxcfs/fs/view"
)

// userHZ is the unit of start times and of /proc/stat: ticks in a second.
const userHZ = 100

// containerID names a container in an object path. It is its identity: cgroup,
// start and init.
func containerID(c *container.Container) string {
	return fmt.Sprintf("c%dx%dx%d", c.Key.Inode, c.StartTicks, c.InitPID)
}

func containerOf(c *container.Container) dbusapi.Container {
	sinceStart := bootClock() - time.Duration(c.StartTicks)*time.Second/userHZ
	return dbusapi.Container{
		ID: containerID(c), Name: c.Name, Runtime: c.Runtime, ClaimedName: c.Claimed,
		Kind: c.Kind.String(), Unit: c.Unit.Name,
		Cgroup: c.CgroupPath, InitPID: c.InitPID, StartedAt: time.Now().Add(-sinceStart),
	}
}

// Containers lists those that have read a file.
func (b *onBus) Containers() []dbusapi.Container {
	list, known := []dbusapi.Container{}, make(map[string]*container.Container)
	for _, c := range b.machine.resolver.Containers() {
		k := containerOf(c)
		known[k.ID] = c
		list = append(list, k)
	}
	b.known.Store(&known)
	return list
}

// ContainerOf resolves a process.
func (b *onBus) ContainerOf(pid uint32) (dbusapi.Container, error) {
	d, err := b.resolve(pid)
	if err != nil {
		return dbusapi.Container{}, err
	}
	if d.Container == nil {
		return dbusapi.Container{}, fmt.Errorf("%w: process %d sees the host's numbers: %s (%s)",
			dbusapi.ErrNoSuchContainer, pid, d.Reason, d.Detail)
	}
	return containerOf(d.Container), nil
}

// find returns the container of an id.
func (b *onBus) find(id string) (*container.Container, error) {
	if known := b.known.Load(); known != nil && (*known)[id] != nil {
		return (*known)[id], nil
	}
	b.Containers()
	if c := (*b.known.Load())[id]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("%w: %s", dbusapi.ErrNoSuchContainer, id)
}

// Usage tells the numbers that the container's own files show.
func (b *onBus) Usage(id string) (u dbusapi.Usage, err error) {
	c, err := b.find(id)
	if err != nil {
		return u, err
	}
	u.Reads = c.Reads()
	if err := b.limits(c, &u); err != nil {
		return u, err
	}
	var f proc.Figures
	online := func(host []byte, v *view.View) error {
		if u.CPUs = strings.TrimSpace(string(host)); v != nil {
			u.CPUs = v.CPUs.String()
		}
		return nil
	}
	err = b.use("", func(conn *connection) error {
		for _, from := range []struct {
			path string
			take func([]byte, *view.View) error
		}{
			{"/proc/meminfo", f.TakeMeminfo}, {"/proc/stat", f.TakeStat}, {"/proc/loadavg", f.TakeLoadavg},
			{"/proc/uptime", f.TakeUptime}, {"/sys/devices/system/cpu/online", online},
		} {
			if err := conn.renderer.Figures(from.path, c, from.take); err != nil {
				return fmt.Errorf("%s of %s: %w", from.path, c.CgroupPath, err)
			}
		}
		return nil
	})
	u.MemoryTotal, u.MemoryFree, u.MemoryAvailable = f.MemTotal, f.MemFree, f.MemAvailable
	u.SwapTotal, u.SwapFree = f.SwapTotal, f.SwapFree
	u.CPUUsageUSec, u.UptimeUSec = f.CPUTicks*(1e6/userHZ), uint64(f.Uptime.Microseconds())
	u.LoadAverage, u.Threads = f.Load, uint32(f.Threads)
	return u, err
}

// limits reads the effective limits of the container's cgroup.
func (b *onBus) limits(c *container.Container, u *dbusapi.Usage) error {
	u.MemoryLimit, u.CPUQuotaPerSecUSec = dbusapi.NoLimit, dbusapi.NoLimit
	var m cgroup.Memory
	if err := b.machine.host.ReadMemory(c.Membership, &m); err == nil {
		u.MemoryLimit = m.Limit.Value
	} else if !errors.Is(err, iofs.ErrNotExist) {
		return err
	}
	q, err := b.machine.host.ReadCPUQuota(c.Membership)
	if err != nil && !errors.Is(err, iofs.ErrNotExist) {
		return err
	}
	if err == nil && q.QuotaUsec != cgroup.Max {
		u.CPUQuotaPerSecUSec = uint64(float64(q.QuotaUsec) / float64(q.PeriodUsec) * 1e6)
	}
	return nil
}
