package container

import (
	"errors"
	"time"
)

// A search that read more files than dearSearch is not made again for a caller of
// the same top-level container before restTime is over; what is known must do.
const (
	dearSearch = 64
	restTime   = time.Second
)

// maxLevels is how many cgroups, one above the other, are looked at for an init.
const maxLevels = 64

// entered looks for the init of the pid namespace of t, whose parents are outside of it
// (setns(2): lxc-attach, docker exec, nsenter) or too many: first by cgroup, where
// only one init may come into question, then by the mount namespace; resting, only
// among those that are known.
//
// A runtime's scope holds one container. Any other cgroup may hold many, the
// caller's own init be elsewhere, and the only one left be a stranger: there an
// init must also have the caller's root directory.
func (q *inquiry) entered(t *task, resting bool) (uint32, Reason, error) {
	known := q.registry.inits(t.status.depth)
	own, alone := outerScope(t.path, q.trusts(t.hier))
	rec := q.nearestKnown(t, known)
	if rec != nil && (alone && within(rec.c.CgroupPath, own.path) || q.shareRoot(t, rec.c.InitPID)) {
		return rec.c.InitPID, ReasonKnown, nil
	}
	var candidates []uint32
	if !resting {
		before := q.files
		scanned, err := q.scanUp(t)
		if before-q.files > dearSearch {
			q.memory.resting.put(t.top, time.Now().Add(restTime))
		}
		if err != nil {
			return 0, "", err
		}
		if len(scanned) == 1 && t.path != "/" && (alone || q.shareRoot(t, scanned[0])) {
			return scanned[0], ReasonProcs, nil
		}
		candidates = scanned
	}
	for _, rec := range known {
		candidates = append(candidates, rec.c.InitPID)
	}
	pid, err := q.sameRoot(t, candidates)
	return pid, ReasonMount, err
}

// shareRoot says whether t and the init have the same root directory: the same
// mount, or one that a mount namespace of t's own has of it. The host's root
// directory is the same only where it is the same mount: it is everybody's.
func (r *reader) shareRoot(t *task, init uint32) bool {
	mine, err := r.readRootMount(t.pid)
	if err != nil {
		return false
	}
	other, err := r.readRootMount(init)
	if err != nil || mine == other {
		return err == nil
	}
	host, err := r.readRootMount(1)
	return err == nil && mine.sameDir(other) && !mine.sameDir(host)
}

// nearestKnown returns the living one whose cgroup is nearest above the caller's;
// nil when there is none or more than one. The root cgroup is above everything and
// says nothing.
func (r *reader) nearestKnown(t *task, known []*record) *record {
	var nearest *record
	longest := 0
	for _, rec := range known {
		path, ok := pathIn(rec.hier, t.member)
		n := len(rec.c.CgroupPath)
		if !ok || n < longest || rec.c.CgroupPath == "/" || !within(path, rec.c.CgroupPath) || !r.alive(rec) {
			continue
		}
		if nearest = rec; n == longest {
			nearest = nil
		}
		longest = n
	}
	return nearest
}

// scanUp returns the inits at the caller's depth in the nearest cgroup above the
// caller that has any, up to the caller's runtime scope. In the root cgroup it
// looks only for a caller that is in it. The error is errSpent.
func (r *reader) scanUp(t *task) ([]uint32, error) {
	if t.hier == nil {
		return nil, nil
	}
	stop := "/"
	if s, ok := outerScope(t.path, r.trusts(t.hier)); ok {
		stop = s.path
	}
	budget := r.opts.MaxScan
	for path, level := t.path, 0; budget > 0 && level < maxLevels; path, level = parentPath(path), level+1 {
		if path == "/" && t.path != "/" {
			return nil, nil
		}
		if dir, err := t.hier.Dir(path); err == nil {
			inits, err := r.initsIn(dir, t.status.depth, &budget)
			if err != nil || len(inits) > 0 {
				return inits, err
			}
		}
		if path == stop {
			return nil, nil
		}
	}
	return nil, nil
}

// sameRoot returns the one living candidate with the caller's root mount; 0 when
// there is none or more than one. The host's own root mount says nothing: a pid
// namespace alone does not make a mount namespace. The error is errSpent.
func (r *reader) sameRoot(t *task, candidates []uint32) (uint32, error) {
	if len(candidates) == 0 {
		return 0, nil
	}
	mine, err := r.readRootMount(t.pid)
	if err != nil {
		return 0, spent(err)
	}
	if host, err := r.readRootMount(1); err != nil || host == mine {
		return 0, spent(err)
	}
	var found uint32
	for _, pid := range candidates[:min(len(candidates), r.opts.MaxScan)] {
		if pid == found {
			continue
		}
		root, err := r.readRootMount(pid)
		switch {
		case errors.Is(err, errSpent):
			return 0, err
		case err != nil || root != mine:
			continue
		case found != 0:
			return 0, nil
		}
		if s, err := r.readStatus(pid); err == nil && s.init() && s.depth == t.status.depth {
			found = pid
		}
	}
	return found, nil
}

// spent returns the error if it is errSpent.
func spent(err error) error {
	if errors.Is(err, errSpent) {
		return err
	}
	return nil
}
