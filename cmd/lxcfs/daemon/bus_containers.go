package daemon

import (
	"bytes"
	"errors"
	"fmt"
	iofs "io/fs"
	"strconv"
	"strings"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/dbusapi"
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
		ID: containerID(c), Name: c.Name, Runtime: c.Runtime, ClaimedName: c.Claimed, Kind: c.Kind.String(), Unit: c.Unit.Name,
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
		return dbusapi.Container{}, fmt.Errorf("%w: process %d sees the host's numbers: %s (%s)", dbusapi.ErrNoSuchContainer, pid, d.Reason, d.Detail)
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

// Usage renders the container's own files and takes the numbers out of them: so
// these are the ones that it reads.
func (b *onBus) Usage(id string) (u dbusapi.Usage, err error) {
	c, err := b.find(id)
	if err != nil {
		return u, err
	}
	u.Reads = c.Reads()
	if err := b.limits(c, &u); err != nil {
		return u, err
	}
	err = b.use("", func(conn *connection) error {
		for _, f := range []struct {
			path string
			take func(*dbusapi.Usage, []byte) error
		}{
			{"/proc/meminfo", takeMeminfo}, {"/proc/stat", takeStat}, {"/proc/loadavg", takeLoadavg},
			{"/proc/uptime", takeUptime}, {"/sys/devices/system/cpu/online", takeOnline},
		} {
			text, err := conn.renderer.ShowContainer(f.path, c)
			if err == nil {
				err = f.take(&u, text)
			}
			if err != nil {
				return fmt.Errorf("%s of %s: %w", f.path, c.CgroupPath, err)
			}
		}
		return nil
	})
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

var errFormat = errors.New("not in the format of the kernel")

// takeMeminfo parses lines of /proc/meminfo:
//
//	MemTotal:         524288 kB
func takeMeminfo(u *dbusapi.Usage, text []byte) error {
	into := map[string]*uint64{
		"MemTotal": &u.MemoryTotal, "MemFree": &u.MemoryFree, "MemAvailable": &u.MemoryAvailable,
		"SwapTotal": &u.SwapTotal, "SwapFree": &u.SwapFree,
	}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		if into[name] == nil {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 53)
		if err != nil {
			return fmt.Errorf("%w: %q", errFormat, line)
		}
		*into[name] = n << 10
	}
	return nil
}

// takeStat parses the first line of /proc/stat, ticks; the first three are CPU
// time that was used:
//
//	cpu  7645 12 3555 99999 3 0 0 0 0 0
func takeStat(u *dbusapi.Usage, text []byte) error {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := strings.Fields(string(line))
	if len(fields) < 5 || fields[0] != "cpu" {
		return fmt.Errorf("%w: %q", errFormat, line)
	}
	for _, f := range fields[1:4] {
		ticks, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return fmt.Errorf("%w: %q", errFormat, line)
		}
		u.CPUUsageUSec += ticks * (1e6 / userHZ)
	}
	return nil
}

// takeLoadavg parses /proc/loadavg:
//
//	0.50 0.25 1.00 1/7 12
func takeLoadavg(u *dbusapi.Usage, text []byte) error {
	fields := strings.Fields(string(text))
	if len(fields) != 5 {
		return fmt.Errorf("%w: %q", errFormat, text)
	}
	_, threads, _ := strings.Cut(fields[3], "/")
	n, err := strconv.ParseUint(threads, 10, 32)
	u.Threads = uint32(n)
	for i := range u.LoadAverage {
		load, failed := strconv.ParseFloat(fields[i], 64)
		u.LoadAverage[i], err = load, errors.Join(err, failed)
	}
	if err != nil {
		return fmt.Errorf("%w: %q", errFormat, text)
	}
	return nil
}

// takeUptime parses /proc/uptime, seconds:
//
//	12.34 5.67
func takeUptime(u *dbusapi.Usage, text []byte) error {
	up, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(up, 64)
	if err != nil {
		return fmt.Errorf("%w: %q", errFormat, text)
	}
	u.UptimeUSec = uint64(seconds*1e6 + 0.5)
	return nil
}

// takeOnline takes a CPU list as it is.
func takeOnline(u *dbusapi.Usage, text []byte) error {
	u.CPUs = strings.TrimSpace(string(text))
	return nil
}
