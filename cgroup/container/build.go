package container

import (
	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procfs"
)

// ofInit returns the Container of a pid namespace's init.
func (r *inquiry) ofInit(pid uint32) (found, error) {
	r.mu.Lock()
	rec := r.byInit[pid]
	r.mu.Unlock()
	if rec != nil {
		if r.unmoved(rec) {
			return found{verdict{rec: rec, reason: ReasonInit, detail: procfs.Dir(pid)}, r.placeOf(rec.c.Membership)}, nil
		}
		r.forget(rec)
	}
	t, start, err := r.readInit(pid)
	if err != nil {
		return found{}, err
	}
	v, err := r.buildInit(t, start)
	return found{v, t.place}, err
}

// unmoved: the init lives and is in the cgroups where it was. Its file is held:
// opened before it was last made sure of the process, it is that process's.
func (r *inquiry) unmoved(rec *record) bool {
	if rec.stale.Load() {
		return false
	}
	buf := r.buffer()
	defer r.release(buf)
	var err error
	if held := rec.file.Load(); held != nil {
		if *buf, err = (*held).Append((*buf)[:0]); err == nil {
			return string(*buf) == rec.raw
		}
	}
	file, err := hostfile.Hold(r.host.FS, procfs.Dir(rec.c.InitPID)+"/cgroup")
	if err != nil {
		return false
	}
	if !r.alive(rec) || !r.says(file, rec.raw) {
		file.Close()
		return false
	}
	rec.hold(&file)
	if rec.stale.Load() { // forgotten meanwhile
		rec.hold(nil)
		return false
	}
	return true
}

// readInit reads an init whole; errChanged when the pid is no init (any more).
func (r *inquiry) readInit(pid uint32) (*task, uint64, error) {
	t, err := r.readTask(pid)
	if err != nil {
		return nil, 0, gone("init", pid, err)
	}
	if !t.status.init() || t.status.tgid != pid {
		return nil, 0, errChanged
	}
	s, err := r.readStat(pid)
	if err == nil && s.Exiting {
		err = r.readLivingThread(t)
	}
	if err == nil {
		err = r.checkTag(pid, t.tag)
	}
	return t, s.StartTicks, gone("init", pid, err)
}

// readLivingThread takes t's cgroups from a thread of t that is not exiting, for
// a main thread that called pthread_exit(3). Without one, the process is dying:
// on v1 it is in the root cgroups by now, and errChanged.
func (r *inquiry) readLivingThread(t *task) error {
	names, err := r.host.FS.ReadDir(procfs.Dir(t.pid) + "/task")
	if err != nil {
		return changed(err)
	}
	for _, name := range names[:min(len(names), r.opts.MaxScan)] {
		tid, err := parsePID("task", []byte(name))
		if err != nil {
			continue
		}
		if s, err := r.readStat(tid); err != nil || s.Exiting {
			continue
		}
		thread, err := r.readTask(tid)
		if err == nil && thread.status.tgid == t.pid {
			t.place, t.top = thread.place, thread.top
			return nil
		}
	}
	return errChanged
}

// buildInit makes the Container of an init known: top-level when it is what its
// runtime's scope was made for or is in no unit, else nested.
func (r *inquiry) buildInit(t *task, start uint64) (verdict, error) {
	v := verdict{reason: ReasonInit, detail: procfs.Dir(t.pid)}
	rec, err := r.newRecord(t, start)
	if err != nil {
		return v, err
	}
	var top *record
	if s, ok := r.outerScope(t.place); ok {
		if top, err = r.ofScope(t.place, s, nil, t.pid); err != nil {
			return v, err
		}
		if top.c.InitPID == t.pid {
			v.rec = top
			return v, nil
		}
		if err = r.checkTag(t.pid, t.tag); err != nil {
			return v, gone("init", t.pid, err)
		}
	} else if top, err = r.ofSystemUnit(t.place); err != nil {
		return v, err
	}
	if machine := rec.c.Unit.Machine; top != nil && machine != "" && t.status.depth == 2 {
		// nspawn on v1 has no payload cgroup; what is nested is deeper.
		rec.c.Runtime, rec.c.Name, rec.c.Claimed = "nspawn", machine, ""
	}
	rec.top = topOf(top)
	if v.rec = r.publishOrSweep(rec); v.rec == nil {
		v.rec, v.reason = r.parentOf(t, top), ReasonQuota
	}
	return v, nil
}

// topOf returns the top-level record that rec is or is in; nil for nil.
func topOf(rec *record) *record {
	if rec != nil && rec.top != nil {
		return rec.top
	}
	return rec
}

// publishOrSweep makes rec known, or what is known in its place. What was held
// of its directories may be of a cgroup that had its name before.
func (r *inquiry) publishOrSweep(rec *record) *record {
	r.host.Forget(rec.c.Membership)
	known := r.publish(rec)
	if known == nil {
		r.bury(func(other *record) bool { return other.top == rec.top })
		known = r.publish(rec)
	}
	return known
}

// parentOf returns the Container that t's was made in, as far as both are in one
// top-level container; else outer. It ends because every parent of an init is
// less deep.
func (r *inquiry) parentOf(t *task, outer *record) *record {
	parent, err := r.readTask(t.status.ppid)
	if err != nil || parent.status.depth >= t.status.depth {
		return outer
	}
	v, err := r.decide(parent)
	if err != nil || v.rec == nil || topOf(v.rec) != topOf(outer) {
		return outer
	}
	return v.rec
}

// newRecord returns the record of an init, of no runtime.
func (r *inquiry) newRecord(t *task, start uint64) (*record, error) {
	inode, err := r.inode(t.place)
	if err != nil {
		return nil, err
	}
	rec := &record{hier: t.hier, raw: t.raw}
	rec.tag.Store(t.tag)
	rec.c = &Container{
		Key:        Key{inode, start},
		Kind:       System,
		Unit:       cgroup.UnitOf(t.path),
		InitPID:    t.pid,
		StartTicks: start,
		CgroupPath: t.path,
		Membership: t.member,
		PIDDepth:   t.status.depth,
		Top:        t.top,
	}
	r.claim(rec, scopesOf(t.path))
	return rec, nil
}

// claim gives a record the kind of the innermost of its scopes (Docker in LXC is
// an application) and, unless name gives it a better one, that name: the claim of
// whoever made a cgroup in a container, or in what root gave away.
func (r *inquiry) claim(rec *record, all []scope) {
	if len(all) == 0 {
		return
	}
	s := all[len(all)-1]
	rec.c.Kind = s.kind
	if len(all) > 1 || !r.trusted(rec.hier, s.path) {
		rec.c.Claimed = s.claim()
	}
}

// ofScope returns the Container that a runtime's scope stands for: that of its
// oldest process (of its init, for a System) if this is an init, else one without an init. A process known
// to be in it is looked at in any case (0: none). nil: top is full.
func (r *inquiry) ofScope(p place, s scope, top *record, member uint32) (*record, error) {
	at := r.cut(p, s.path)
	inode, err := r.inode(at)
	if err != nil {
		return nil, err
	}
	if rec := r.byInode(inode); rec != nil {
		return rec, nil
	}
	old := r.oldest(at, s.kind, member)
	if member != 0 {
		// Without it we may have taken another process for the oldest.
		if _, err := r.tag(member); err != nil {
			return nil, gone("init", member, err)
		}
	}
	if old.task != nil && old.task.status.init() {
		init, start, err := r.readInit(old.task.pid)
		if err != nil {
			return nil, err
		}
		rec, err := r.newRecord(init, start)
		if err != nil {
			return nil, err
		}
		r.name(rec, s)
		rec.inode, rec.top = inode, top
		return r.publishOrSweep(rec), nil
	}
	rec := r.withoutInit(at, inode, old)
	rec.top = top
	r.name(rec, s)
	return r.publishOrSweep(rec), nil
}

// byInode returns the known and living record of a unit's or scope's cgroup.
func (r *inquiry) byInode(inode uint64) *record {
	r.mu.Lock()
	rec := r.byCgroup[inode]
	r.mu.Unlock()
	if rec == nil {
		return nil
	}
	if rec.c.InitPID != 0 && !r.unmoved(rec) || !r.alive(rec) {
		r.forget(rec)
		return nil
	}
	return rec
}

// name gives a record the runtime and name of a scope to be believed; one inside
// another only its kind, since the outer container chose that name.
func (r *inquiry) name(rec *record, s scope) {
	rec.c.Kind = s.kind
	if all := scopesOf(s.path); len(all) == 1 {
		rec.c.Runtime, rec.c.Name, rec.c.Claimed = s.runtime, s.name, ""
	} else {
		rec.c.Claimed = s.claim()
	}
}

// withoutInit returns the record of a cgroup that is a Container by itself.
func (r *inquiry) withoutInit(at place, inode uint64, old oldestProcess) *record {
	if old.task != nil && within(old.task.path, at.path) {
		at = r.cut(old.task.place, at.path)
	}
	rec := &record{hier: at.hier, inode: inode}
	rec.c = &Container{
		Key:        Key{Inode: inode},
		Unit:       cgroup.UnitOf(at.path),
		StartTicks: old.start,
		CgroupPath: at.path,
		Membership: at.member,
		PIDDepth:   1,
		Top:        r.top(at),
	}
	return rec
}

// ofSystemUnit returns the Container of the system manager's unit that p is in;
// nil for none.
func (r *inquiry) ofSystemUnit(p place) (*record, error) {
	system := systemUnit(p.path)
	if system == "" || !r.trusted(p.hier, system) {
		return nil, nil
	}
	return r.unitAt(r.cut(p, system), nil)
}

// ofUnit returns the Container of the systemd unit that p is in; nil for none.
// The units of a user's manager are nested in the system's unit that it is.
func (r *inquiry) ofUnit(p place) (*record, Reason, error) {
	top, err := r.ofSystemUnit(p)
	if top == nil {
		return nil, "", err
	}
	unit := cgroup.UnitOf(p.path)
	if unit.User == "" || unit.Path == top.c.CgroupPath || !within(unit.Path, top.c.CgroupPath) {
		return top, ReasonUnit, nil
	}
	path := unit.Path
	if inner := path + "/container"; claimed(path, scopesOf(path)) && within(p.path, inner) {
		path = inner // crun's; 1.8 limits a user's container there, and not in the scope
	}
	rec, err := r.unitAt(r.cut(p, path), top)
	if rec == nil && err == nil {
		return top, ReasonQuota, nil
	}
	return rec, ReasonUnit, err
}

// claimed says whether the innermost of these scopes is a unit.
func claimed(unit string, all []scope) bool { return len(all) > 0 && all[len(all)-1].path == unit }

// unitAt returns the record of a unit's cgroup; nil when top is full.
func (r *inquiry) unitAt(at place, top *record) (*record, error) {
	inode, err := r.inode(at)
	if err != nil {
		return nil, err
	}
	if rec := r.byInode(inode); rec != nil {
		return rec, nil
	}
	rec := r.withoutInit(at, inode, r.oldest(at, Unit, 0))
	rec.top = top
	rec.c.Kind, rec.c.Runtime, rec.c.Name = Unit, "systemd", rec.c.Unit.Name
	if rec.c.Unit.User != "" {
		rec.c.Name = rec.c.Unit.User
	}
	if all := scopesOf(at.path); top != nil && claimed(rec.c.Unit.Path, all) {
		// A container on the host's pid namespace, of a user's Podman.
		rec.c.Runtime, rec.c.Name = "", ""
		r.claim(rec, all)
	}
	return r.publishOrSweep(rec), nil
}
