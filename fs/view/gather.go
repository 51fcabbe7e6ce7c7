package view

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
)

// Clock is the time since boot, CLOCK_BOOTTIME of clock_gettime(2).
type Clock func() time.Duration

// tick is one unit of USER_HZ, in which /proc/PID/stat has start times.
const tick = 10 * time.Millisecond

// Gatherer fills in Views. Safe for concurrent use.
type Gatherer struct {
	host     *cgroup.Host
	clock    Clock
	accounts *Accounts
	loads    *Loads
	hostHas  hostMemory
	devices  knownDevices
	own      ownClock
}

// New returns a Gatherer that reads from host and keeps CPU time in accounts.
func New(host *cgroup.Host, clock Clock, accounts *Accounts, loads *Loads) *Gatherer {
	return &Gatherer{host: host, clock: clock, accounts: accounts, loads: loads}
}

// Forget lets go of the CPU time of a container that is no more.
func (g *Gatherer) Forget(key container.Key) { g.accounts.forget(key) }

// parts are the ways to fill in a View, in their order.
var parts = [...]struct {
	needs Needs
	fill  func(*Gatherer, *View, *container.Container, Options) error
}{
	{NeedMemory, (*Gatherer).memory},
	{NeedCPUs | NeedCPUTime | NeedUptime | NeedTasks, (*Gatherer).cpus},
	{NeedUptime | NeedClock, (*Gatherer).timeNamespace}, // before cpuTime
	{NeedLoad | NeedTasks, (*Gatherer).load},
	{NeedCPUTime | NeedUptime | NeedTasks, (*Gatherer).cpuTime}, // after load: it keeps the last pid
	{NeedIO | NeedDisks, (*Gatherer).io},
	{NeedDisks, (*Gatherer).disks},
	{NeedNodes, (*Gatherer).nodes},
	{NeedCPUPressure, pressure("cpu")},
	{NeedIOPressure, pressure("io")},
	{NeedIRQPressure, pressure("irq")},
	{NeedMemoryPressure, pressure("memory")},
	{NeedEvents, (*Gatherer).events},
	{NeedHugetlb, (*Gatherer).hugetlb},
	{NeedPossible, (*Gatherer).possible},
	{NeedHostMemory, (*Gatherer).fillHost},
	{NeedUsageByNode, (*Gatherer).usageByNode},
}

// Gather fills in the parts of dst that are needed; dst may hold an older View,
// whose storage it takes. An error names the file; dst is then undefined.
func (g *Gatherer) Gather(dst *View, c *container.Container, needs Needs, opts Options) error {
	dst.LastPID, dst.ClockOffset = 0, 0
	for i := range parts {
		if needs&parts[i].needs != 0 {
			if err := parts[i].fill(g, dst, c, opts); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *Gatherer) memory(dst *View, c *container.Container, opts Options) error {
	dst.SwapShown, dst.ZswapShown = opts.Swap, opts.Zswap
	dst.PageSize, dst.HugeSize = g.host.PageSize, g.host.HugeSize()
	var err error
	if dst.NodesSize, err = g.nodesSize(c); err != nil {
		return err
	}
	return g.host.ReadMemory(c.Membership, &dst.Memory)
}

// cpus decides which CPUs are shown: those of the effective cpuset that are
// online, and of these the first n for a quota of n CPUs. It is never empty.
func (g *Gatherer) cpus(dst *View, c *container.Container, opts Options) error {
	online, err := g.online()
	if err != nil {
		return err
	}
	visible, _, err := g.host.ReadCPUSet(c.Membership)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		visible = online // no cpuset controller: every CPU
	case err != nil:
		return err
	default:
		if !visible.Within(online) {
			visible = visible.And(online)
		}
	}
	if visible.Empty() {
		visible = online
	}
	dst.CPUs, dst.partial = visible, false
	if !opts.ByQuota(c.Kind) {
		return nil
	}
	quota, err := g.host.ReadCPUQuota(c.Membership)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if n := max(1, quota.Ceil()); n < visible.Count() {
		dst.CPUs, dst.partial = visible.First(n), true
	}
	return nil
}

// ByQuota says whether the CPUs of a kind of container are counted by the quota,
// and not by the set alone.
func (o Options) ByQuota(kind container.Kind) bool {
	return o.CPU == Quota || o.CPU == Auto && kind == container.Application
}

// online returns the host's online CPUs.
func (g *Gatherer) online() (cgroup.CPUSet, error) {
	const name = "/sys/devices/system/cpu/online"
	set, err := g.host.ReadCPUList(name)
	if err != nil {
		return nil, err
	}
	if set.Empty() {
		return nil, fmt.Errorf("%s: %w: no CPU", name, cgroup.ErrFormat)
	}
	return set, nil
}

// possible reads the host's possible CPUs.
func (g *Gatherer) possible(dst *View, _ *container.Container, _ Options) (err error) {
	dst.Possible, err = g.host.ReadCPUList("/sys/devices/system/cpu/possible")
	return err
}

// cpuTime brings the container's account up to now and copies it. The account
// is locked from the reading of the clock on, so that two readers never bring
// in their figures in the wrong order.
func (g *Gatherer) cpuTime(dst *View, c *container.Container, _ Options) error {
	r := g.accounts.open(c.Key)
	defer r.mu.Unlock()
	now := g.clock()
	age := max(0, now-time.Duration(c.StartTicks)*tick)
	if dst.Uptime = age; dst.ClockOffset != 0 {
		dst.Uptime = max(0, now+dst.ClockOffset)
	}
	news := false
	if r.account.due(usec(now)) {
		if err := g.readCPUTime(dst, c, r.account.last == 0); err != nil {
			return err
		}
		s := slice{
			now: usec(now), uptime: usec(age), visible: dst.CPUs, partial: dst.partial,
			busy: dst.busy, usage: &dst.usage,
		}
		if r.account.last == 0 {
			r.account.base = hostCounts(dst.stat).before(s.uptime, s.now)
		}
		news = r.account.advance(&s)
	}
	if pid := uint64(dst.LastPID); pid > r.account.processes {
		r.account.processes, news = pid, true
	}
	if news {
		g.accounts.commit(r)
	}
	r.account.report(dst)
	return nil
}

// readCPUTime reads the container's CPU time and, where that is not per CPU or
// the container is new, the host's.
func (g *Gatherer) readCPUTime(dst *View, c *container.Container, fresh bool) (err error) {
	if err = g.host.ReadCPUUsage(c.Membership, &dst.usage); err != nil {
		return err
	}
	dst.busy = dst.busy[:0]
	if dst.usage.PerCPU != nil && !fresh {
		return nil
	}
	if dst.stat, err = g.host.FS.Append(dst.stat[:0], "/proc/stat"); err != nil {
		return err
	}
	if dst.busy, err = appendBusy(dst.busy, dst.stat); err != nil {
		return fmt.Errorf("/proc/stat: %w", err)
	}
	return nil
}

// usec returns whole microseconds.
func usec(d time.Duration) uint64 { return uint64(d / time.Microsecond) }

func (g *Gatherer) load(dst *View, c *container.Container, opts Options) error {
	l, err := g.loads.read(c)
	if err != nil {
		return err
	}
	dst.LoadKnown = opts.Loadavg
	dst.Load = l.average
	dst.Running, dst.Threads, dst.LastPID = max(1, l.running), max(1, l.threads), l.lastPID
	dst.HostPIDs = g.hostPIDs(c, dst.Reader)
	dst.Tasks.Running, dst.Tasks.Blocked = uint64(dst.Running), uint64(l.blocked)
	return nil
}

// hostPIDs says whether a reader in c is in the host's pid namespace. In a
// runtime's container that has no init of its own he may be in that of a pod.
func (g *Gatherer) hostPIDs(c *container.Container, reader uint32) bool {
	return c.PIDDepth == 1 && (c.Kind == container.Unit || len(g.loads.innerPIDs(reader)) == 1)
}

// io reads the container's I/O. Where no controller counts it, the container
// used no device that anybody knows of; the host's I/O is none of its.
func (g *Gatherer) io(dst *View, c *container.Container, _ Options) error {
	var err error
	dst.IO, _, err = g.host.ReadIO(c.Membership, dst.IO)
	if errors.Is(err, fs.ErrNotExist) {
		dst.IO = dst.IO[:0]
		return nil
	}
	dst.IO = slices.DeleteFunc(dst.IO, unused)
	return err
}

// unused: the kernel has a line for it without any I/O (cost.usage= only).
func unused(io cgroup.IOStat) bool {
	return io.Rios|io.Wios|io.Dios|io.Rbytes|io.Wbytes|io.Dbytes == 0
}

func (g *Gatherer) events(dst *View, c *container.Container, _ Options) error {
	var err error
	dst.OOMKills, err = g.host.ReadOOMKills(c.Membership)
	return err
}

func (g *Gatherer) nodes(dst *View, c *container.Container, _ Options) error {
	nodes, err := g.host.ReadMemoryNodes(c.Membership)
	if errors.Is(err, fs.ErrNotExist) {
		nodes, err = nil, nil // no cpuset controller, or no NUMA
	}
	dst.Nodes = nodes
	return err
}

func (g *Gatherer) usageByNode(dst *View, c *container.Container, _ Options) error {
	var err error
	dst.UsageByNode, err = g.host.ReadNodeMemory(c.Membership, dst.UsageByNode)
	if errors.Is(err, fs.ErrNotExist) {
		dst.UsageByNode, err = dst.UsageByNode[:0], nil // no NUMA
	}
	return err
}

// pressure reads the container's own pressure file. That there is none is no
// failure: v1 has no pressure per cgroup, and it can be switched off.
func pressure(resource string) func(*Gatherer, *View, *container.Container, Options) error {
	return func(g *Gatherer, dst *View, c *container.Container, _ Options) error {
		text, _, err := g.host.ReadPressure(dst.Pressure[:0], c.Membership, resource)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EOPNOTSUPP) {
			text, err = dst.Pressure[:0], nil
		}
		dst.Pressure = text
		return err
	}
}
