package container

// elder is the oldest process of a cgroup; no task when there is none to see.
type elder struct {
	task  *task
	start uint64
}

// oldest returns the oldest process in a cgroup and all below it, of those that
// are looked at; member is looked at first, unless it is 0. Of several that started in one tick it is the init of the
// shallowest pid namespace, if there is one: an init forks at once. A System has
// an init, whatever older process of the host's is beside it (one that started
// it, say); an Application on the host's pid namespace may make pid namespaces.
func (r *Resolver) oldest(p place, kind Kind, member uint32) elder {
	var pids []uint32
	if member != 0 {
		pids = append(pids, member)
	}
	// A subtree that is larger than the bound, or goes meanwhile, is no error:
	// the first processes found are commonly the oldest.
	_, _ = r.host.WalkProcs(p.member, r.opts.MaxScan, func(pid uint32) bool {
		pids = append(pids, pid)
		return len(pids) < r.opts.MaxScan
	})
	starts := make(map[uint32]uint64, len(pids))
	first := ^uint64(0)
	for _, pid := range pids {
		if start, err := r.readStartTicks(pid); err == nil {
			starts[pid] = start
			first = min(first, start)
		}
	}
	if kind == System {
		if init := r.shallowest(pids, starts); init.task != nil {
			return init
		}
	}
	var best elder
	for _, pid := range pids {
		if start, ok := starts[pid]; !ok || start != first {
			continue
		}
		t, err := r.readTask(pid)
		if err == nil && (best.task == nil || elderThan(t, best.task)) {
			best = elder{t, first}
		}
	}
	return best
}

// shallowest returns the init of the shallowest pid namespace, and of these the
// oldest; none when there is no init.
func (r *Resolver) shallowest(pids []uint32, starts map[uint32]uint64) elder {
	var best elder
	for _, pid := range pids {
		s, err := r.readStatus(pid)
		if err != nil || !s.init() {
			continue
		}
		start, ok := starts[pid]
		if !ok || best.task != nil && (s.depth() > best.task.status.depth() || s.depth() == best.task.status.depth() && start >= best.start) {
			continue
		}
		if t, err := r.readTask(pid); err == nil {
			best = elder{t, start}
		}
	}
	return best
}

// elderThan orders processes of one tick.
func elderThan(a, b *task) bool {
	if a.status.init() != b.status.init() {
		return a.status.init()
	}
	return a.status.depth() < b.status.depth()
}

// initsIn returns the inits of pid namespaces of that depth in cgroup.procs of
// one cgroup and of init.scope right below it. budget is what may yet be read.
func (r *Resolver) initsIn(dir string, depth int, budget *int) []uint32 {
	buf := r.buffer()
	defer r.release(buf)
	var pids, inits []uint32
	for _, d := range []string{dir, dir + initScope} {
		var err error
		// Unreadable: hidden by its owner, threaded, or not there.
		if *buf, err = r.host.FS.Append((*buf)[:0], d+"/cgroup.procs"); err == nil {
			pids = appendProcs(pids, *buf, *budget-len(pids))
		}
	}
	*budget -= len(pids)
	for _, pid := range pids {
		s, err := r.readStatus(pid)
		if err == nil && s.init() && s.depth() == depth {
			inits = append(inits, pid)
		}
	}
	return inits
}
