package view

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
)

const (
	// loadKept is for how long a container is watched after it was last read.
	loadKept = 10 * time.Minute
	// A census is renewed for a reader when it is older than censusAge and
	// found no more than cheapThreads.
	censusAge    = time.Second
	cheapThreads = 256
	// idleTicks is how many ticks in a row may go without a census because the
	// container used no CPU time.
	idleTicks = 12
)

// Loads watches the containers that somebody has read of late. Safe for
// concurrent use; Run is called once. No file is read with mu held.
//
// What that costs is bounded for each top-level container ([container.Container.Top]):
// a cgroup is counted once for all the containers that are in it, at most
// maxWatched are watched, and when more was counted than is allowed, the next
// census waits, and the last one holds. Those of all take maxWatchedBytes.
type Loads struct {
	host  *cgroup.Host
	clock Clock

	mu      sync.Mutex // guards what follows, and what is in them
	watched map[container.Key]*load
	groups  map[groupKey]*group
	tops    map[string]*allowance // by Container.Top
	bytes   int                   // that watched takes
}

// load is one container's.
type load struct {
	container *container.Container
	group     *group
	allowance *allowance
	read      time.Duration // when somebody last did
	stepped   time.Duration // up to when the averages are; 0 before they are seeded
	average   averages
	lastPID   uint32
}

// groupKey is a cgroup. Its inode may be that of one above it, where the owner
// shut it off.
type groupKey struct {
	inode uint64
	path  string
}

// group is the threads of one cgroup and all below it.
type group struct {
	key   groupKey
	ready chan struct{} // closed after the first count
	err   error         // of the first count

	loads      int // containers that are watched
	membership cgroup.Membership
	allowance  *allowance
	counted    time.Duration // when the census began; 0 before the first
	used       uint64        // CPU time of the cgroup before the census
	skipped    int           // ticks without a census, in a row
	census
}

// figures are what is known of a container's load.
type figures struct {
	average averages
	census
	lastPID uint32
}

// NewLoads returns a Loads that watches nobody yet.
func NewLoads(host *cgroup.Host, clock Clock) *Loads {
	return &Loads{
		host: host, clock: clock,
		watched: make(map[container.Key]*load),
		groups:  make(map[groupKey]*group),
		tops:    make(map[string]*allowance),
	}
}

// Run counts every 5 s until ctx is done.
func (l *Loads) Run(ctx context.Context) {
	ticker := time.NewTicker(loadInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.Tick()
		}
	}
}

// Tick is one step of all averages. Containers whose cgroup is gone, or that
// nobody read for ten minutes, are forgotten.
func (l *Loads) Tick() {
	for _, g := range l.due() {
		now := l.clock()
		used, err := l.host.ReadCPUTotal(g.membership)
		if err != nil || !l.idle(g, used) {
			l.recount(g, now, used)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.watched {
		if w.stepped != 0 {
			w.step(l.clock())
		}
	}
}

// due returns what is to be counted, the one that has waited longest first,
// without those that nobody reads any more.
func (l *Loads) due() []*group {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.watched {
		if l.clock()-w.read > loadKept {
			l.forget(w)
		}
	}
	l.settle()
	list := make([]*group, 0, len(l.groups))
	for _, g := range l.groups {
		if g.counted != 0 {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b *group) int { return int(a.counted - b.counted) })
	return list
}

// settle settles all allowances, and forgets those that nobody needs. mu is held.
func (l *Loads) settle() {
	settle(slices.Collect(maps.Values(l.tops)))
	maps.DeleteFunc(l.tops, func(_ string, a *allowance) bool { return len(a.loads) == 0 && a.spent == 0 })
}

// idle says that the last census still holds. Nobody was running then, and the
// cgroup has used no CPU time since: no task can have changed its state but
// to a runnable one that has not run yet. Only Tick calls it.
func (l *Loads) idle(g *group, used uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	idle := used == g.used && g.running == 0 && g.skipped < idleTicks
	if idle {
		g.skipped++
	}
	return idle
}

// recount brings in a new census, unless the allowance is used up. used is the
// CPU time before it. A cgroup that can not be counted any more is forgotten.
func (l *Loads) recount(g *group, now time.Duration, used uint64) {
	l.mu.Lock()
	open, last := g.allowance.open(), g.census
	l.mu.Unlock()
	if !open {
		return
	}
	c, err := l.count(g.membership, maxTasks, &last)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.disband(g)
		return
	}
	g.take(c, now)
	g.used, g.skipped = used, 0
}

// take brings in a census begun at a time. mu is held.
func (g *group) take(c census, at time.Duration) {
	g.census, g.counted = c, max(at, 1)
	g.allowance.spent += c.work
}

// step brings the averages up to now: a tick that comes late, or not at all, is
// made up for by the next one. mu is held.
func (w *load) step(now time.Duration) {
	n := max(now-w.stepped+loadInterval/2, 0) / loadInterval
	w.stepped += n * loadInterval
	w.average = w.average.after(uint64(n), w.group.active())
}

// seed sets the first averages: nobody counted before, so that the count of now
// stands for all the time since the container's start. mu is held.
func (w *load) seed(now time.Duration) {
	w.stepped = max(now, 1)
	w.average = aged(now-time.Duration(w.container.StartTicks)*tick, w.group.active())
}

// active is what load averages are of.
func (g *group) active() uint64 { return uint64(g.running + g.blocked) }

// costOf returns about how many bytes it takes to watch a container.
func costOf(c *container.Container) int {
	cost := watchedCost
	for _, e := range c.Membership {
		cost += len(e.Path)
	}
	return cost
}

// makeRoom forgets those that were read longest ago, an eighth of all. mu is held.
func (l *Loads) makeRoom() {
	for _, w := range slices.SortedFunc(maps.Values(l.watched), longestAgo) {
		if l.bytes <= maxWatchedBytes/8*7 {
			break
		}
		l.forget(w)
	}
}

// longestAgo orders by when somebody last read.
func longestAgo(a, b *load) int { return cmp.Compare(a.read, b.read) }

// forget ends the watch of a container. mu is held.
func (l *Loads) forget(w *load) {
	if l.watched[w.container.Key] != w {
		return
	}
	delete(l.watched, w.container.Key)
	l.bytes -= costOf(w.container)
	w.allowance.loads = slices.DeleteFunc(w.allowance.loads, func(other *load) bool { return other == w })
	if w.group.loads--; w.group.loads == 0 && l.groups[w.group.key] == w.group {
		delete(l.groups, w.group.key)
	}
}

// Forget ends the watch of a container that is no more.
func (l *Loads) Forget(key container.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.watched[key]; w != nil {
		l.forget(w)
	}
}

// disband ends the watch of all containers of a cgroup. mu is held.
func (l *Loads) disband(g *group) {
	for _, w := range l.watched {
		if w.group == g {
			l.forget(w)
		}
	}
}

// watch returns the load of a container and its cgroup, which is new if fresh is
// true: then the caller counts it. mu is held.
func (l *Loads) watch(c *container.Container, now time.Duration) (w *load, fresh bool) {
	if w := l.watched[c.Key]; w != nil {
		return w, false
	}
	a := l.tops[c.Top]
	if a == nil {
		a = new(allowance)
		l.tops[c.Top] = a
	}
	if len(a.loads) >= maxWatched {
		l.forget(slices.MinFunc(a.loads, longestAgo))
	}
	cost := costOf(c)
	if l.bytes+cost > maxWatchedBytes {
		l.makeRoom()
	}
	key := groupKey{c.Key.Inode, c.CgroupPath}
	g := l.groups[key]
	if fresh = g == nil; fresh {
		g = &group{key: key, ready: make(chan struct{}), membership: c.Membership, allowance: a}
		l.groups[key] = g
	}
	g.loads++
	w = &load{container: c, group: g, allowance: a, read: now}
	a.loads = append(a.loads, w)
	l.watched[c.Key] = w
	l.bytes += cost
	return w, fresh
}

// read returns a container's load, and begins to watch it. The census is at most
// a second old where counting is cheap, else as old as the averages.
func (l *Loads) read(c *container.Container) (figures, error) {
	now := l.clock()
	l.mu.Lock()
	w, fresh := l.watch(c, now)
	g := w.group
	l.mu.Unlock()
	if fresh {
		l.begin(g, now)
	}
	<-g.ready
	if g.err != nil {
		return figures{}, g.err
	}
	l.refresh(g, now)
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.stepped == 0 {
		w.seed(now)
	}
	w.read = max(w.read, now)
	w.lastPID = max(w.lastPID, g.innerPID(c.PIDDepth))
	return figures{w.average, g.census, w.lastPID}, nil
}

// begin makes the first count; other readers of the cgroup wait for it.
func (l *Loads) begin(g *group, now time.Duration) {
	limit := maxTasks
	l.mu.Lock()
	if !g.allowance.open() {
		limit = partialTasks
	}
	l.mu.Unlock()
	c, err := l.count(g.membership, limit, new(census))
	l.mu.Lock()
	defer l.mu.Unlock()
	defer close(g.ready)
	if g.err = err; err != nil {
		l.disband(g)
		return
	}
	g.take(c, now)
}

// refresh counts again when the last census is old and was cheap. Of several
// readers one does.
func (l *Loads) refresh(g *group, now time.Duration) {
	l.mu.Lock()
	old := now-g.counted >= censusAge && g.threads <= cheapThreads && g.allowance.open()
	if old {
		g.counted = max(now, 1)
	}
	last := g.census
	l.mu.Unlock()
	if !old {
		return
	}
	if c, err := l.count(g.membership, maxTasks, &last); err == nil {
		l.mu.Lock()
		g.take(c, now)
		l.mu.Unlock()
	}
}
