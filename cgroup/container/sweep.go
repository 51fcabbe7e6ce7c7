package container

// Sweep lets go of what is of tasks and Containers that exist no more, files that
// are held open for them first of all. It returns the Containers that were
// forgotten since it was last called: those that are dead, and of which nothing
// is needed any more, and others, that moved to other cgroups or made room. Nobody
// is given a dead one as an answer without Sweep; but who never calls it keeps
// what was remembered of them until there is no more room.
//
// It costs a stat(2) for each Container, and for each remembered caller and parent
// of one that lives. Their number is bounded by the [Options].
func (r *Resolver) Sweep() (dead, others []*Container) {
	sweep(&r.machine, &r.memory.callers)
	sweep(&r.machine, &r.memory.parents.cache)
	bury(&r.machine, &r.memory.registry, all)
	r.machine.lines.mu.Lock()
	r.machine.lines.fade()
	r.machine.lines.mu.Unlock()
	gone, living := r.memory.registry.take()
	for _, rec := range gone {
		// Two inits of one tick in one cgroup have one Key.
		if !living[rec.c.Key] && !r.machine.exists(rec) {
			dead = append(dead, rec.c)
		} else {
			others = append(others, rec.c)
		}
	}
	return dead, others
}

// Crowded receives when so many Containers were forgotten that [Resolver.Sweep] is
// to be called soon: it tells of no more than are remembered at a time, and what is
// held open of one that it did not tell of stays open.
func (r *Resolver) Crowded() <-chan struct{} { return r.memory.registry.crowded }

// Containers returns the known Containers that still exist, in no order.
func (r *Resolver) Containers() []*Container {
	bury(&r.machine, &r.memory.registry, all)
	var known []*Container
	for _, rec := range r.memory.registry.all() {
		known = append(known, rec.c)
	}
	return known
}

func all(*record) bool { return true }

// bury forgets the Containers that exist no more, of those that it is told.
func bury(m *machine, g *registry, which func(*record) bool) {
	for _, rec := range g.all() {
		if which(rec) && !m.alive(rec) {
			g.forget(rec)
		}
	}
}
