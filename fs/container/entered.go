package container

// noInit is what a decision by cgroup adds when there should have been an init.
const noInit = "entered a pid namespace whose init was not found"

// entered decides for a caller in a pid namespace whose parents are outside of
// it (setns(2): lxc-attach, docker exec, nsenter) or too many.
func (r *Resolver) entered(t *task) (verdict, error) {
	pid, reason := r.enteredInit(t)
	if pid != 0 {
		f, err := r.ofInit(pid)
		if err != nil {
			return verdict{}, changed(err)
		}
		if f.reason == ReasonInit {
			f.reason = reason
		}
		return r.preferOwnScope(t, f)
	}
	v, err := r.byCgroupOf(t, noInit)
	v.weak = true
	return v, err
}

// enteredInit looks for the init of t's pid namespace: first by cgroup, where
// only one init may come into question, then by the mount namespace.
//
// A runtime's scope holds one container. Any other cgroup may hold many, the
// caller's own init be elsewhere, and the only one left be a stranger: there an
// init must also have the caller's root directory.
func (r *Resolver) enteredInit(t *task) (uint32, Reason) {
	known := r.knownInits(t.status.depth())
	own, alone := r.outerScope(t.place)
	if rec := r.nearestKnown(t, known); rec != nil && (alone && within(rec.c.CgroupPath, own.path) || r.shareRoot(t, rec.c.InitPID)) {
		return rec.c.InitPID, ReasonKnown
	}
	scanned := r.scanUp(t)
	if len(scanned) == 1 && t.path != "/" && (alone || r.shareRoot(t, scanned[0])) {
		return scanned[0], ReasonProcs
	}
	candidates := scanned
	for _, rec := range known {
		candidates = append(candidates, rec.c.InitPID)
	}
	return r.sameRoot(t, candidates), ReasonMount
}

// shareRoot says whether t and the init have the same root directory: the same
// mount, or one that a mount namespace of t's own has of it. The host's root
// directory is the same only where it is the same mount: it is everybody's.
func (r *Resolver) shareRoot(t *task, init uint32) bool {
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

// knownInits returns the records of living inits at that depth.
func (r *Resolver) knownInits(depth int) []*record {
	var known []*record
	for _, rec := range r.snapshot() {
		if rec.c.InitPID != 0 && rec.c.PIDDepth == depth && r.alive(rec) {
			known = append(known, rec)
		}
	}
	return known
}

// nearestKnown returns the one whose cgroup is nearest above the caller's; nil
// when there is none or more than one. The root cgroup is above everything and
// says nothing.
func (r *Resolver) nearestKnown(t *task, known []*record) *record {
	var nearest *record
	longest := 0
	for _, rec := range known {
		path, ok := pathIn(rec.hier, t.member)
		if !ok || rec.c.CgroupPath == "/" || !within(path, rec.c.CgroupPath) {
			continue
		}
		switch n := len(rec.c.CgroupPath); {
		case n > longest:
			nearest, longest = rec, n
		case n == longest:
			nearest = nil
		}
	}
	return nearest
}

// scanUp returns the inits at the caller's depth in the nearest cgroup above the
// caller that has any, up to the caller's runtime scope. In the root cgroup it
// looks only for a caller that is in it.
func (r *Resolver) scanUp(t *task) []uint32 {
	if t.hier == nil {
		return nil
	}
	stop := "/"
	if s, ok := r.outerScope(t.place); ok {
		stop = s.path
	}
	budget := r.opts.MaxScan
	for path := t.path; budget > 0; path = parentPath(path) {
		if path == "/" && t.path != "/" {
			return nil
		}
		if dir, err := t.hier.Dir(path); err == nil {
			if inits := r.initsIn(dir, t.status.depth(), &budget); len(inits) > 0 {
				return inits
			}
		}
		if path == stop {
			return nil
		}
	}
	return nil
}

// sameRoot returns the one candidate with the caller's root mount; 0 when there
// is none or more than one. The host's own root mount says nothing: a pid
// namespace alone does not make a mount namespace.
func (r *Resolver) sameRoot(t *task, candidates []uint32) uint32 {
	if len(candidates) == 0 {
		return 0
	}
	mine, err := r.readRootMount(t.pid)
	if err != nil {
		return 0
	}
	if host, err := r.readRootMount(1); err != nil || host == mine {
		return 0
	}
	var found uint32
	for _, pid := range candidates[:min(len(candidates), r.opts.MaxScan)] {
		if pid == found {
			continue
		}
		if root, err := r.readRootMount(pid); err != nil || root != mine {
			continue
		}
		if found != 0 {
			return 0
		}
		found = pid
	}
	return found
}
