package container

import (
	"bytes"
	"errors"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// oldest returns the oldest process in a cgroup and all below it, of those that
// are looked at; member is looked at first, unless it is 0. Of several that started
// in one tick it is the init of the shallowest pid namespace, if there is one: an
// init forks at once. A System has an init, whatever older process of the host's is
// beside it (one that started it, say); an Application on the host's pid namespace
// may make pid namespaces.
//
// nil: none can be seen. A cgroup with more in it than may be read, or that goes meanwhile, is no error:
// the first processes found are commonly the oldest.
func (r *reader) oldest(p place, kind Kind, member uint32) *process {
	pids := r.procsBelow(p, member)
	if kind == System {
		h, done := r.half() // that a process has a large file leaves the others' start
		init := h.shallowest(pids)
		if done(); init != nil {
			return init
		}
	}
	starts := make(map[uint32]uint64, len(pids))
	first := ^uint64(0)
	for _, pid := range pids {
		if s, err := r.readStat(pid); err == nil {
			starts[pid] = s.StartTicks
			first = min(first, s.StartTicks)
		}
	}
	var best *process
	for _, pid := range pids {
		if start, ok := starts[pid]; !ok || start != first {
			continue
		}
		t, err := r.readTask(pid)
		if err == nil && (best == nil || olderThan(t, &best.task)) {
			best = &process{task: *t, start: first}
		}
	}
	return best
}

// procsBelow returns the processes in a cgroup and all below it, breadth first, at
// most as many as a decision looks at; member comes first, unless it is 0.
func (r *reader) procsBelow(p place, member uint32) []uint32 {
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
func (r *reader) procsIn(dst []uint32, dir string, limit int) []uint32 {
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
func (r *reader) shallowest(pids []uint32) *process {
	var best *process
	depth := maxDepth
	for _, pid := range pids {
		s, err := r.readStatus(pid)
		if err != nil || !s.init() || s.depth > depth {
			continue
		}
		stat, err := r.readStat(pid)
		if err != nil || best != nil && s.depth == depth && stat.StartTicks >= best.start {
			continue
		}
		if t, err := r.readTask(pid); err == nil {
			best, depth = &process{task: *t, start: stat.StartTicks}, s.depth
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
func (r *reader) initsIn(dir string, depth int, budget *int) ([]uint32, error) {
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

// appendProcs appends the pids in the content of cgroup.procs, at most limit,
// one a line; a line without its end is left out, for only the beginning may have
// been read. 0 stands for a process that the reader cannot see, and other
// lines are not written by the kernel; both are left out.
func appendProcs(dst []uint32, content []byte, limit int) []uint32 {
	for line := range bytes.Lines(content) {
		if limit <= 0 {
			break
		}
		number, whole := bytes.CutSuffix(line, []byte("\n"))
		pid, err := strconv.ParseUint(string(number), 10, 32)
		if err != nil || pid == 0 || !whole {
			continue
		}
		dst = append(dst, uint32(pid))
		limit--
	}
	return dst
}
