package view

import "slices"

const (
	// maxWatched bounds the containers of one top-level container that are watched
	// at a time.
	maxWatched = 128
	// maxWatchedBytes bounds what those of all take: where nothing is in a scope or
	// unit, each cgroup is a top-level container. watchedCost is of one, beside the
	// paths of its cgroups.
	maxWatchedBytes = 16 << 20
	watchedCost     = 1 << 10
	// tickWork is how many threads and cgroups may be looked at in the time of a
	// tick, for all containers. One file each, about 10 us: 13 % of one CPU.
	tickWork = 65536
	// partialTasks is how many threads are counted of a container that is new, when its
	// top-level container has looked at too many.
	partialTasks = cheapThreads
)

// allowance is the work of counting that one top-level container may cause,
// however many containers are in it. Loads.mu guards it.
type allowance struct {
	loads []*load
	spent int // work that is not paid for
}

// open: a census may begin. It can overdraw the allowance once.
func (a *allowance) open() bool { return a.spent < maxTasks }

// settle pays for the work since the last tick: all of it where all together did
// no more than tickWork, and no more than maxTasks for one. Otherwise each has an
// equal part paid, and what the small ones leave of theirs goes to the larger.
func settle(all []*allowance) {
	slices.SortFunc(all, func(a, b *allowance) int { return a.spent - b.spent })
	left := tickWork
	for i, a := range all {
		paid := min(a.spent, left/(len(all)-i), maxTasks)
		a.spent -= paid
		left -= paid
	}
}
