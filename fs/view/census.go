package view

import (
	"errors"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// maxTasks bounds the threads that are counted of one cgroup.
const maxTasks = 16384

// census is a count of the threads of a cgroup and all below it.
type census struct {
	running, blocked, threads int

	newest uint32   // highest pid of /proc
	inner  []uint32 // that process's pid in each pid namespace, that of /proc first
	work   int      // threads and cgroups that were looked at
}

// innerPID returns the newest process's pid in the namespace that is depth
// namespaces deep (1 is that of /proc); 0 for a process that was put in from
// outside, or is gone.
func (n *census) innerPID(depth int) uint32 {
	switch {
	case depth == 1:
		return n.newest
	case depth < 1 || len(n.inner) < depth:
		return 0
	}
	return n.inner[depth-1]
}

// count counts the threads of a cgroup and all below it, the first limit of them.
// Processes that end meanwhile do not count. last is the census before.
func (l *Loads) count(m cgroup.Membership, limit int, last *census) (census, error) {
	var now census
	buf := make([]byte, 0, 4096)
	cgroups, err := l.host.WalkProcs(m, limit, func(pid uint32) bool {
		stat, err := l.host.FS.Append(buf[:0], procpid.Dir(pid)+"/stat")
		if err != nil {
			return true
		}
		buf = stat
		task, err := procpid.ParseStat(stat)
		if err != nil {
			return true
		}
		now.newest = max(now.newest, pid)
		if task.Threads > 1 {
			l.countThreads(&now, pid, task.State, limit)
		} else {
			now.add(task.State)
		}
		return now.threads < limit
	})
	if err != nil && !errors.Is(err, cgroup.ErrLimit) {
		return census{}, err
	}
	now.work = cgroups + now.threads
	if now.inner = last.inner; now.newest != last.newest {
		now.inner = l.innerPIDs(now.newest)
	}
	return now, nil
}

func (n *census) add(state byte) {
	n.threads++
	switch state {
	case 'R':
		n.running++
	case 'D':
		n.blocked++
	}
}

// countThreads counts the threads of one process, whose main thread is in a
// state. Where they are not to be seen, that one stands for all.
func (l *Loads) countThreads(now *census, pid uint32, main byte, limit int) {
	dir := procpid.Dir(pid) + "/task"
	tids, err := l.host.FS.ReadDir(dir)
	if err != nil {
		now.add(main)
		return
	}
	for _, tid := range tids[:min(len(tids), limit-now.threads)] {
		stat, err := l.host.FS.Append(nil, dir+"/"+tid+"/stat")
		if err != nil {
			continue
		}
		if task, err := procpid.ParseStat(stat); err == nil {
			now.add(task.State)
		}
	}
}

// innerPIDs returns a process's pid in each of its pid namespaces; nil when the
// process is gone.
func (l *Loads) innerPIDs(pid uint32) []uint32 {
	inner, _ := procpid.Read(l.host.FS, pid, "status", procpid.PIDs)
	return inner
}
