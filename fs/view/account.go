package view

import "linuxcontainers.org/lxcfs/cgroup"

// cpuAccount is the time of one CPU in a container; all times are microseconds
// and only grow.
type cpuAccount struct {
	user, nice, system, idle uint64

	hostBusy         uint64 // the host's busy time of the CPU when last seen
	v1User, v1System uint64 // cpuacct.usage_all when last seen
	recent           uint64 // what the container ran here in the last slice
	visible          uint64 // 1: shown when last seen
}

// account is the CPU time of one container since its start.
type account struct {
	last               uint64 // boot time of the last slice's end; 0: new
	user, nice, system uint64 // the cgroup's counters then
	// What the cgroup used and no CPU had room for yet: it goes into later slices.
	carryUser, carryNice, carrySystem uint64
	cpus                              []cpuAccount // by CPU number
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

// advance adds the time since the last step. Counters never shrink, whatever
// the cgroup's do.
func (a *account) advance(s *slice) {
	fresh := a.last == 0
	wall := grown(s.now, a.last)
	if fresh {
		wall = s.uptime
	}
	ran := make([]uint64, len(a.cpus))
	if s.usage.PerCPU != nil {
		a.addPerCPU(s, fresh, ran)
	} else {
		a.spread(s, fresh, wall, ran)
	}
	for i := range a.cpus {
		c := &a.cpus[i]
		visible := s.visible.Has(i)
		if visible && (c.visible == 1 || fresh) {
			c.idle += grown(wall, ran[i])
		}
		c.visible = 0
		if visible {
			c.visible = 1
		}
		if i < len(s.busy) {
			c.hostBusy = s.busy[i]
		}
		c.recent = ran[i]
	}
	a.last = max(s.now, a.last, 1)
}

// addPerCPU takes over what cgroup v1 says of each CPU, nanoseconds.
func (a *account) addPerCPU(s *slice, fresh bool, ran []uint64) {
	for i := range min(len(a.cpus), len(s.usage.PerCPU)) {
		c, now := &a.cpus[i], s.usage.PerCPU[i]
		if fresh {
			c.v1User, c.v1System = 0, 0
		}
		// Whole microseconds; the rest stays in the difference for later.
		user := grown(now.UserNsec, c.v1User) / 1000
		system := grown(now.SystemNsec, c.v1System) / 1000
		c.v1User, c.v1System = min(now.UserNsec, c.v1User+user*1000), min(now.SystemNsec, c.v1System+system*1000) // back after a reset
		c.user += user
		c.system += system
		ran[i] = user + system
	}
}

// spread divides what the whole container used among CPUs, for cgroup v2 has no
// figures per CPU: first to those where it ran before, to none more than the
// slice was long and the host's CPU was busy. What finds no room is carried.
func (a *account) spread(s *slice, fresh bool, wall uint64, ran []uint64) {
	user := grown(s.usage.UserUsec, s.usage.NiceUsec)
	left := pool{
		grown(user, a.user) + a.carryUser,
		grown(s.usage.NiceUsec, a.nice) + a.carryNice,
		grown(s.usage.SystemUsec, a.system) + a.carrySystem,
	}
	a.user, a.nice, a.system = user, s.usage.NiceUsec, s.usage.SystemUsec
	candidates := a.candidates(s.visible)
	if fresh {
		a.spreadEvenly(candidates, &left, wall, ran)
	} else {
		for _, i := range candidates {
			room := wall
			if i < len(s.busy) {
				room = min(room, grown(s.busy[i], a.cpus[i].hostBusy))
			}
			a.give(i, room, &left, ran)
		}
		if s.partial {
			// It ran on CPUs that are not shown.
			for _, i := range candidates {
				if s.visible.Has(i) {
					a.give(i, grown(wall, ran[i]), &left, ran)
				}
			}
		}
	}
	a.carryUser, a.carryNice, a.carrySystem = left.user, left.nice, left.system
}

// candidates are the CPUs that are visible or were in the last slice, those
// where the container ran most first.
func (a *account) candidates(visible cgroup.CPUSet) []int {
	var list []int
	for i := range a.cpus {
		if !visible.Has(i) && a.cpus[i].visible == 0 {
			continue
		}
		at := len(list)
		for at > 0 && a.cpus[list[at-1]].recent < a.cpus[i].recent {
			at--
		}
		list = append(list, 0)
		copy(list[at+1:], list[at:])
		list[at] = i
	}
	return list
}

// spreadEvenly is for the first sight of a container that ran before.
func (a *account) spreadEvenly(candidates []int, left *pool, wall uint64, ran []uint64) {
	for n, i := range candidates {
		a.give(i, min(wall, left.sum()/uint64(len(candidates)-n)), left, ran)
	}
	for _, i := range candidates {
		a.give(i, grown(wall, ran[i]), left, ran)
	}
}

// pool is CPU time that is still to be given to CPUs.
type pool struct{ user, nice, system uint64 }

func (p *pool) sum() uint64 { return p.user + p.nice + p.system }

// take removes up to n microseconds of *from.
func take(from *uint64, n uint64) uint64 {
	got := min(*from, n)
	*from -= got
	return got
}

// give moves up to room microseconds from the pool to a CPU: of each kind its
// share, so that no CPU is all user and another all system.
func (a *account) give(i int, room uint64, left *pool, ran []uint64) {
	sum := left.sum()
	n := min(room, sum)
	if n == 0 {
		return
	}
	c := &a.cpus[i]
	ran[i] += n
	user := take(&left.user, share(n, left.user, sum))
	nice := take(&left.nice, share(n, left.nice, sum))
	system := take(&left.system, n-user-nice)
	user += take(&left.user, n-user-nice-system)
	nice += take(&left.nice, n-user-nice-system)
	c.user += user
	c.nice += nice
	c.system += system
}

// share returns n*part/sum without overflow.
func share(n, part, sum uint64) uint64 {
	if n == sum {
		return part
	}
	return uint64(float64(n) * (float64(part) / float64(sum)))
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
}

func (c *cpuAccount) ticks() CPUTicks {
	return CPUTicks{
		User: c.user / usecPerTick, Nice: c.nice / usecPerTick,
		System: c.system / usecPerTick, Idle: c.idle / usecPerTick,
	}
}
