package container

import (
	"errors"
	"time"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/gate"
)

// Bounds of the callers of one top-level container that are being resolved at a
// time. A file of /proc can block its reader for as long as the process it is
// about wants: one in the middle of an execve(2) of a file that never comes does.
const (
	maxResolving    = 8
	maxWaiting      = 24
	resolvePatience = 100 * time.Millisecond
)

// inTurn resolves a caller that is not remembered.
func (r *Resolver) inTurn(tid uint32) (verdict, error) {
	file, err := hostfile.Hold(r.host.FS, procDir(tid)+"/cgroup")
	if err != nil {
		return verdict{}, gone("caller", tid, err)
	}
	v, err := r.inLane(tid, file)
	if err != nil || v.passing {
		file.Close()
	}
	return v, err
}

// inLane is inTurn with the caller's open /proc/TID/cgroup, which is the
// Resolver's when a decision is remembered. When too many callers of the same
// top-level container are being resolved and none of them gets on, or there is
// too much to look at, the caller's own cgroup answers.
func (r *Resolver) inLane(tid uint32, file hostfile.File) (verdict, error) {
	p, err := r.inquire().placeOfFile(tid, file)
	if err != nil {
		return verdict{}, gone("caller", tid, err)
	}
	lane := r.top(p)
	if !r.gate.Enter(lane) {
		return r.byOwnCgroup(lane, p, gate.ErrBusy)
	}
	defer r.gate.Leave(lane)
	for try := 1; ; try++ {
		v, err := r.resolve(tid, file)
		switch {
		case errors.Is(err, errSpent):
			return r.byOwnCgroup(lane, p, err)
		case err == nil || !errors.Is(err, errChanged) || try == attempts:
			return v, err
		}
	}
}

// placeOfFile returns where a task is, by its open /proc/TID/cgroup: nothing that
// it reads can block.
func (r *inquiry) placeOfFile(tid uint32, file hostfile.File) (place, error) {
	t := &task{pid: tid}
	err := r.readPlace(t, file.Append)
	return t.place, err
}

// byOwnCgroup answers for a caller about whom no more can be found out now: with
// its runtime's scope or its unit, whose names root gave, and never with the host.
// A caller that is in neither gets the error.
func (r *Resolver) byOwnCgroup(lane string, p place, why error) (verdict, error) {
	if !r.last.Enter(lane) {
		return verdict{}, why
	}
	defer r.last.Leave(lane)
	v, err := r.inquire().cgroupRules(p)
	if err != nil || v.rec == nil {
		return verdict{}, why
	}
	v.reason, v.passing = ReasonBusy, true
	return v, nil
}
