package container

import (
	"errors"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// oldestProcess is the oldest process of a cgroup; no task when there is none to see.
type oldestProcess struct {
	task  *task
	start uint64
}

// oldest returns the oldest process in a cgroup and all below it, of those that
// are looked at; member is looked at first, unless it is 0. Of several that started
// in one tick it is the init of the shallowest pid namespace, if there is one: an
// init forks at once. A System has an init, whatever older process of the host's is
// beside it (one that started it, say); an Application on the host's pid namespace
// may make pid namespaces.
//
// A cgroup with more in it than may be read, or that goes meanwhile, is no error:
// the first processes found are commonly the oldest.
func (r *inquiry) oldest(p place, kind Kind, member uint32) oldestProcess {
	pids := r.procsBelow(p, member)
	if kind == System {
		h, done := r.half() // that a process has a large file leaves the others' start
		init := h.shallowest(pids)
		if done(); init.task != nil {
			return init
		}
	}
	starts := make(map[uint32]uint64, len(pids))
	first := ^uint64(0)
	for _, pid := range pids {
		if start, err := r.readStartTicks(pid); err == nil {
			starts[pid] = start
			first = min(first, start)
		}
	}
	var best oldestProcess
	for _, pid := range pids {
		if start, ok := starts[pid]; !ok || start != first {
			continue
		}
		t, err := r.readTask(pid)
		if err == nil && (best.task == nil || olderThan(t, best.task)) {
			best = oldestProcess{t, first}
		}
	}
	return best
}

// procsBelow returns the processes in a cgroup and all below it, breadth first, at
// most as many as a decision looks at; member comes first, unless it is 0.
func (r *inquiry) procsBelow(p place, member uint32) []uint32 {
	var pids []uint32
	if member != 0 {
		pids = append(pids, member)
	}
	if p.hier == nil {
		return pids
	}
	top, err := p.hier.Dir(p.path)
	if err != nil {
		return pids
	}
	dirs := []string{top}
	for n := 0; n < len(dirs) && len(pids) < r.opts.MaxScan; n++ {
		pids = r.procsIn(pids, dirs[n], r.opts.MaxScan-len(pids))
		if r.pay() != nil {
			break
		}
		names, err := hostfile.Subdirs(r.host.FS, dirs[n], r.opts.MaxScan-len(dirs))
		if err != nil {
			continue // it went, or is hidden by its owner
		}
		for _, name := range names {
			dirs = append(dirs, dirs[n]+"/"+name)
		}
	}
	return pids
}

// procsIn appends the processes in one cgroup, at most limit: none of one that is
// unreadable, for it is hidden by its owner, threaded, or not there.
func (r *inquiry) procsIn(dst []uint32, dir string, limit int) []uint32 {
	const pidLength = 11 // bytes of a line, at most
	buf := r.buffer()
	defer r.release(buf)
	var err error
	if *buf, err = r.read((*buf)[:0], dir+"/cgroup.procs", pidLength*limit); err != nil {
		return dst
	}
	return appendProcs(dst, *buf, limit)
}

// shallowest returns the init of the shallowest pid namespace, and of these the
// oldest; none when there is no init.
func (r *inquiry) shallowest(pids []uint32) oldestProcess {
	var best oldestProcess
	depth := maxDepth
	for _, pid := range pids {
		s, err := r.readStatus(pid)
		if err != nil || !s.init() || s.depth > depth {
			continue
		}
		start, err := r.readStartTicks(pid)
		if err != nil || best.task != nil && s.depth == depth && start >= best.start {
			continue
		}
		if t, err := r.readTask(pid); err == nil {
			best, depth = oldestProcess{t, start}, s.depth
		}
	}
	return best
}

// olderThan orders processes of one tick.
func olderThan(a, b *task) bool {
	if a.status.init() != b.status.init() {
		return a.status.init()
	}
	return a.status.depth < b.status.depth
}

// initsIn returns the inits of pid namespaces of that depth in cgroup.procs of
// one cgroup and of init.scope right below it. budget is how many processes may yet
// be looked at. The error is errSpent.
func (r *inquiry) initsIn(dir string, depth int, budget *int) ([]uint32, error) {
	var pids, inits []uint32
	for _, d := range []string{dir, dir + initScope} {
		pids = r.procsIn(pids, d, *budget-len(pids))
	}
	*budget -= len(pids)
	for _, pid := range pids {
		s, err := r.readStatus(pid)
		switch {
		case errors.Is(err, errSpent):
			return nil, err
		case err == nil && s.init() && s.depth == depth:
			inits = append(inits, pid)
		}
	}
	return inits, nil
}
