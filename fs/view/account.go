package view

import (
	"math"
	"slices"

	"linuxcontainers.org/lxcfs/cgroup"
)

// minSlice is the shortest time that an account takes a step for, one tick:
// less does not show in the numbers, and the host's busy time moves in ticks.
const minSlice = usecPerTick

// cpuAccount is the time of one CPU in a container; all times are microseconds
// and only grow.
type cpuAccount struct {
	user, nice, system, idle uint64

	hostBusy         uint64 // the host's busy time of the CPU when last seen
	v1User, v1System uint64 // nanoseconds of cpuacct.usage_all that are accounted for
	recent           uint64 // what the container ran here in the last slice
	visible          uint64 // 1: shown when last seen
}

// account is the CPU time of one container since its start, and what else must
// not go back.
type account struct {
	last               uint64 // boot time of the last slice's end; 0: new
	user, nice, system uint64 // the cgroup's counters then
	carry              pool   // what no CPU had room for yet: it goes into later slices
	processes          uint64 // the highest pid that was seen
	base               HostCounts
	cpus               []cpuAccount // by CPU number

	ran   []uint64 // storage of advance: of this slice, by CPU number
	order []int
}

// slice is what was read for one step of an account.
type slice struct {
	now, uptime uint64 // microseconds since boot, and since the container's start
	visible     cgroup.CPUSet
	partial     bool     // the container may run on CPUs that are not visible
	busy        []uint64 // the host's busy time, by CPU number
	usage       *cgroup.CPUUsage
}

// grown returns how much a counter grew; a counter that went back was reset,
// and what it counted since then is not known.
func grown(now, last uint64) uint64 {
	if now < last {
		return 0
	}
	return now - last
}

// due: at that time a step is to be made.
func (a *account) due(now uint64) bool { return a.last == 0 || grown(now, a.last) >= minSlice }

// advance adds the time since the last step, and reports whether there was a
// step. Counters never shrink, whatever the cgroup's do; no CPU gets more than
// the slice was long.
func (a *account) advance(s *slice) bool {
	fresh := a.last == 0
	wall := grown(s.now, a.last)
	if fresh {
		wall = s.uptime
	} else if wall < minSlice {
		return false
	}
	a.ran = append(a.ran[:0], make([]uint64, len(a.cpus))...)
	switch {
	case s.usage.PerCPU != nil:
		a.addPerCPU(s, fresh, wall)
	case fresh:
		a.seed(s, a.used(s), wall)
	default:
		a.spread(s, wall)
	}
	a.close(s, fresh, wall)
	return true
}

// close ends a step: what a visible CPU did not run it was idle.
func (a *account) close(s *slice, fresh bool, wall uint64) {
	for i := range a.cpus {
		c := &a.cpus[i]
		visible := s.visible.Has(i)
		if visible && (c.visible == 1 || fresh) {
			c.idle += wall - a.ran[i]
		}
		c.visible = 0
		if visible {
			c.visible = 1
		}
		if i < len(s.busy) {
			c.hostBusy = s.busy[i]
		}
		c.recent = a.ran[i]
	}
	a.last = max(s.now, a.last, 1)
}

// addPerCPU takes over what cgroup v1 says of each CPU, nanoseconds. What ran
// on CPUs that the quota hides goes to those that are shown, or a container at
// its quota would look half idle.
func (a *account) addPerCPU(s *slice, fresh bool, wall uint64) {
	for i := range min(len(a.cpus), len(s.usage.PerCPU)) {
		c := &a.cpus[i]
		if s.partial && !s.visible.Has(i) && c.visible == 0 {
			a.carry.add(c.takeV1(s.usage.PerCPU[i], math.MaxUint64))
		} else {
			a.credit(i, c.takeV1(s.usage.PerCPU[i], wall))
		}
		if fresh { // a cgroup older than the container: the rest is none of it
			c.v1User, c.v1System = s.usage.PerCPU[i].UserNsec, s.usage.PerCPU[i].SystemNsec
		}
	}
	a.order = a.candidates(s.visible)
	for _, i := range a.order {
		if s.visible.Has(i) {
			a.give(i, wall-a.ran[i], &a.carry)
		}
	}
	if fresh {
		a.carry = pool{}
	}
}

// takeV1 returns the time that v1 counted on a CPU since the last slice, at most
// so much. Whole microseconds: the rest stays in the difference, for later.
func (c *cpuAccount) takeV1(now cgroup.CPUTime, most uint64) pool {
	p := pool{user: grown(now.UserNsec, c.v1User) / 1000, system: grown(now.SystemNsec, c.v1System) / 1000}
	p = p.split(most)
	c.v1User = min(now.UserNsec, c.v1User+p.user*1000) // back after a reset
	c.v1System = min(now.SystemNsec, c.v1System+p.system*1000)
	return p
}

// used returns what the cgroup used since the last slice.
func (a *account) used(s *slice) pool {
	user := grown(s.usage.UserUsec, s.usage.NiceUsec)
	p := pool{
		grown(user, a.user),
		grown(s.usage.NiceUsec, a.nice),
		grown(s.usage.SystemUsec, a.system),
	}
	a.user, a.nice, a.system = user, s.usage.NiceUsec, s.usage.SystemUsec
	return p
}

// spread divides what the whole container used among CPUs, for cgroup v2 has no
// figures per CPU: first to those where it ran before, to none more than the
// slice was long and the host's CPU was busy. What finds no room is carried.
//
// The host's busy time is sampled at ticks, a cgroup's is exact: where the two
// differ, time would be carried for ever. So what was carried once already has
// the slice's length as its only bound; and so has all, where the container ran
// on CPUs that are not shown.
func (a *account) spread(s *slice, wall uint64) {
	overdue := a.carry.sum()
	left := a.carry
	left.add(a.used(s))
	before := left.sum()
	a.order = a.candidates(s.visible)
	for _, i := range a.order {
		a.give(i, min(wall, a.hostRan(s, i)), &left)
	}
	overdue = grown(overdue, before-left.sum())
	for _, i := range a.order {
		room := wall - a.ran[i]
		if !s.partial {
			room = min(room, overdue)
		}
		if s.visible.Has(i) {
			overdue -= min(overdue, a.give(i, room, &left))
		}
	}
	a.carry = left
}

// hostRan returns how long the host's CPU was busy in the slice.
func (a *account) hostRan(s *slice, cpu int) uint64 {
	if cpu >= len(s.busy) {
		return 0
	}
	return grown(s.busy[cpu], a.cpus[cpu].hostBusy)
}

// candidates are the CPUs that are visible or were in the last slice, those
// where the container ran most first.
func (a *account) candidates(visible cgroup.CPUSet) []int {
	list := a.order[:0]
	for i := range a.cpus {
		if visible.Has(i) || a.cpus[i].visible == 1 {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(i, j int) int {
		switch x, y := a.cpus[i].recent, a.cpus[j].recent; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return list
}

// report copies the account into a View, in ticks.
func (a *account) report(dst *View) {
	var all cpuAccount
	dst.CPUTicks = dst.CPUTicks[:0]
	for i := range a.cpus {
		c := &a.cpus[i]
		all.user += c.user
		all.nice += c.nice
		all.system += c.system
		all.idle += c.idle
		if dst.CPUs.Has(i) {
			dst.CPUTicks = append(dst.CPUTicks, PerCPU{CPU: i, CPUTicks: c.ticks()})
		}
	}
	dst.CPUTotal = all.ticks()
	dst.Idle = duration(all.idle)
	dst.Base, dst.Tasks.Processes = a.base, a.processes
}

func (c *cpuAccount) ticks() CPUTicks {
	return CPUTicks{
		User: c.user / usecPerTick, Nice: c.nice / usecPerTick,
		System: c.system / usecPerTick, Idle: c.idle / usecPerTick,
	}
}
