package container

import (
	"errors"

	"linuxcontainers.org/lxcfs/cgroup"
)

// maxSteps is how far up the tree of processes the init is looked for.
const maxSteps = 32

// decide applies the rules, in the order of the reasons.
func (r *inquiry) decide(t *task) (verdict, error) {
	if t.status.depth <= 1 {
		why := ""
		if t.status.blind {
			why = "the kernel says nothing of pid namespaces"
		}
		return r.byCgroupOf(t, why)
	}
	pid, ok, err := r.walk(t)
	if r.last && errors.Is(err, errChanged) {
		// Its ancestors die faster than they can be looked at, as who forks chains
		// of processes may have them. The next question finds others.
		v, err := r.entered(t)
		v.passing = true
		return v, err
	}
	if err != nil {
		return verdict{}, err
	}
	if !ok {
		return r.entered(t)
	}
	found, err := r.ofInit(pid)
	if err != nil {
		return verdict{}, changed(err)
	}
	return r.preferOwnScope(t, found)
}

// walk goes up from t to the init of its pid namespace. A parent of equal depth
// is in the same pid namespace. ok is false when the parents lead out of it.
//
// A parent that died while we read it may be another process by then: its pid
// counts only if it still is the parent afterwards.
func (r *inquiry) walk(t *task) (pid uint32, ok bool, err error) {
	if t.status.init() {
		return t.status.tgid, true, nil
	}
	if k := r.knownParentOf(t); k != nil && k.depth == t.status.depth {
		return k.init, true, nil
	}
	t.walked = true
	parent := r.holdParent(t.status.ppid)
	pid, ok, err = r.walkUp(t)
	switch {
	case parent == nil:
	case ok && err == nil:
		parent.depth, parent.init = t.status.depth, pid
		r.rememberParent(t.status.ppid, parent)
	default:
		parent.file.Close()
	}
	return pid, ok, err
}

// walkUp is walk without what is known of the caller's parent.
func (r *inquiry) walkUp(t *task) (pid uint32, ok bool, err error) {
	child, s := t.pid, t.status
	for range maxSteps {
		if s.ppid == 0 {
			return 0, false, nil
		}
		parent, err := r.readStatus(s.ppid)
		if err != nil {
			return 0, false, changed(err)
		}
		again, err := r.readStatus(child)
		if err != nil {
			return 0, false, changed(err)
		}
		if again.ppid != s.ppid || parent.depth > s.depth {
			return 0, false, errChanged
		}
		if parent.depth < s.depth {
			return 0, false, nil
		}
		if parent.init() {
			return s.ppid, true, nil
		}
		child, s = s.ppid, parent
	}
	return 0, false, nil
}

// found is an init's Container and the cgroups that the init itself is in.
type found struct {
	verdict
	init place
}

// preferOwnScope: a caller in a runtime's scope that neither holds the init nor
// is below the init's cgroup belongs to that scope (pods that share a pid
// namespace). Below the init's cgroup, names are the container's own choice.
func (r *inquiry) preferOwnScope(t *task, f found) (verdict, error) {
	initPath, ok := pathIn(t.hier, f.init.member)
	if !ok {
		return f.verdict, nil
	}
	for _, s := range scopesOf(t.path) {
		if within(initPath, s.path) {
			continue
		}
		if initPath != "/" && within(s.path, initPath) || !r.trusted(t.hier, s.path) {
			break
		}
		v, err := r.ownScope(t.place, s)
		return v, changed(err)
	}
	return f.verdict, nil
}

// ownScope returns what s stands for; inside another scope it is nested there.
func (r *inquiry) ownScope(p place, s scope) (verdict, error) {
	var top *record
	var err error
	if outer, ok := r.outerScope(p); ok && outer.path != s.path {
		if top, err = r.ofScope(p, outer, nil, 0); err != nil {
			return verdict{}, err
		}
	}
	rec, err := r.ofScope(p, s, top, 0)
	if rec == nil {
		return verdict{rec: top, reason: ReasonQuota, detail: s.path}, err
	}
	return verdict{rec: rec, reason: ReasonOwnScope, detail: s.path}, err
}

// byCgroupOf decides by the caller's cgroup alone: in the host's pid namespace,
// or for want of an init; why goes into the detail.
func (r *inquiry) byCgroupOf(t *task, why string) (verdict, error) {
	v, err := r.cgroupRules(t.place)
	if err != nil {
		return verdict{}, changed(err)
	}
	if why != "" {
		v.detail += " (" + why + ")"
	}
	return v, nil
}

func (r *inquiry) cgroupRules(p place) (verdict, error) {
	if p.path == "/" {
		return verdict{reason: ReasonRoot, detail: p.path}, nil
	}
	if s, ok := r.outerScope(p); ok {
		rec, err := r.ofScope(p, s, nil, 0)
		return verdict{rec: rec, reason: ReasonScope, detail: s.path}, err
	}
	if rec, reason, err := r.ofUnit(p); rec != nil || err != nil {
		return verdict{rec: rec, reason: reason, detail: unitPath(rec)}, err
	}
	return verdict{reason: ReasonNoUnit, detail: p.path}, nil
}

func unitPath(rec *record) string {
	if rec == nil {
		return ""
	}
	return rec.c.CgroupPath
}

// outerScope returns the outermost runtime scope that p is in, if its name can
// be believed.
func (r *Resolver) outerScope(p place) (scope, bool) {
	all := scopesOf(p.path)
	if len(all) == 0 || !r.trusted(p.hier, all[0].path) {
		return scope{}, false
	}
	return all[0], true
}

// systemUnit returns the path of the system manager's unit that a path is in;
// "" for none.
func systemUnit(path string) string {
	found := ""
	for ; path != "/"; path = parentPath(path) {
		if cgroup.UnitOf(path).Name == "" {
			break
		}
		found = path
	}
	return found
}
