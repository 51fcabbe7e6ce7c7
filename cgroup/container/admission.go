package container

import (
	"errors"
	"time"

	"linuxcontainers.org/lxcfs/cgroup/fair"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// Bounds of the callers of one top-level container that are being resolved at a
// time. A process that executes a file on a hung FUSE or NFS mount, execve(2), blocks
// whoever reads its files in /proc, for as long as that mount hangs.
const (
	maxResolving    = 8
	maxWaiting      = 56
	resolvePatience = 100 * time.Millisecond
)

// inTurn resolves a caller that is not remembered.
func (r *Resolver) inTurn(tid uint32) (answer, error) {
	file, err := hostfile.Hold(r.machine.host.FS, procpid.Dir(tid)+"/cgroup")
	if err != nil {
		return answer{}, gone("caller", tid, err)
	}
	a, err := r.admit(tid, file)
	if err != nil || a.passing {
		file.Close()
	}
	return a, err
}

// admit is inTurn with the caller's open /proc/TID/cgroup, which is the
// Resolver's when a decision is remembered. When too many callers of the same
// top-level container are being resolved and none of them gets on, or there is
// too much to look at, the caller's own cgroup answers.
func (r *Resolver) admit(tid uint32, file hostfile.File) (answer, error) {
	// Nothing that this reads can block.
	t := &task{pid: tid}
	if err := r.machine.readPlace(t, file.Append); err != nil {
		return answer{}, gone("caller", tid, err)
	}
	if !r.gate.Enter(t.top) {
		return r.byOwnCgroup(t, fair.ErrBusy)
	}
	defer r.gate.Leave(t.top)
	for try := 1; ; try++ {
		q := r.memory.inquire(r.machine.reader())
		q.last = try == attempts
		a, err := q.resolve(tid, file)
		switch {
		case errors.Is(err, errSpent):
			return r.byOwnCgroup(t, err)
		case err == nil || !errors.Is(err, errChanged) || q.last:
			return a, err
		}
	}
}

// byOwnCgroup answers for a caller about whom no more can be found out now: with
// its runtime's scope or its unit, whose names root gave, and never with the host.
// A caller that is in neither gets the error.
func (r *Resolver) byOwnCgroup(t *task, why error) (answer, error) {
	if !r.last.Enter(t.top) {
		return answer{}, why
	}
	defer r.last.Leave(t.top)
	v := byCgroup(t.path, r.machine.trusts(t.hier))
	v.reason, v.passing = ReasonBusy, true
	a, err := r.memory.inquire(r.machine.reader()).show(t, nil, v)
	if err != nil {
		return answer{}, why
	}
	return a, nil
}
