package container

import (
	"linuxcontainers.org/lxcfs/cgroup"
)

// builder reads what is to be known of a Container, and makes it known.
type builder struct {
	*reader
	registry *registry
}

// lookAtInit returns what is known of an init, if that is still true, or reads it.
func (b *builder) lookAtInit(pid uint32) (*process, error) {
	if rec := b.registry.ofInit(pid); rec != nil {
		if b.unmoved(rec) {
			return &process{task: task{pid: pid, place: b.placeOf(rec.c.Membership)}, rec: rec}, nil
		}
		b.registry.forget(rec)
	}
	return b.readInit(pid)
}

// buildInit makes the Container of an init known: top-level when it is what its
// runtime's scope was made for or is in no unit, else nested in top. rec is nil when
// that is full.
func (b *builder) buildInit(init *process) (rec, top *record, err error) {
	if rec, err = b.newRecord(init); err != nil {
		return nil, nil, err
	}
	if s, ok := topLevel(init.path, b.trusts(init.hier)); ok {
		member := init.pid
		if s.kind == Unit {
			member = 0
		}
		if top, err = b.ofCgroup(init.place, s, nil, member); err != nil {
			return nil, nil, err
		}
		if s.kind != Unit {
			if top.c.InitPID == init.pid {
				return top, top, nil
			}
			if err = b.checkTag(init.pid, init.tag); err != nil {
				return nil, nil, gone("init", init.pid, err)
			}
		}
	}
	if machine := rec.c.Unit.Machine; top != nil && machine != "" && init.status.depth == 2 {
		// nspawn on v1 has no payload cgroup; what is nested is deeper.
		rec.c.Runtime, rec.c.Name, rec.c.Claimed = "nspawn", machine, ""
	}
	rec.top = topOf(top)
	return b.publish(rec), top, nil
}

// publish makes rec known, or what is known in its place; nil when its top-level
// container is full. What was held of its directories may be of a cgroup that had
// its name before.
func (b *builder) publish(rec *record) *record {
	b.host.Forget(rec.c.Membership)
	known := b.registry.publish(rec)
	if known == nil {
		bury(b.machine, b.registry, func(other *record) bool { return other.top == rec.top })
		known = b.registry.publish(rec)
	}
	return known
}

// newRecord returns the record of an init, of no runtime.
func (b *builder) newRecord(init *process) (*record, error) {
	inode, err := b.inode(init.place)
	if err != nil {
		return nil, err
	}
	rec := &record{hier: init.hier, raw: init.raw}
	rec.tag.Store(init.tag)
	rec.c = &Container{
		Key:        Key{inode, init.start},
		Kind:       System,
		Unit:       cgroup.UnitOf(init.path),
		InitPID:    init.pid,
		StartTicks: init.start,
		CgroupPath: init.path,
		Membership: init.member,
		PIDDepth:   init.status.depth,
		Top:        init.top,
	}
	b.claim(rec, scopesOf(init.path))
	return rec, nil
}

// claim gives a record the kind of the innermost of its scopes (Docker in LXC is
// an application) and, unless it is given a better one, that name: the claim of
// whoever made a cgroup in a container, or in what root gave away.
func (b *builder) claim(rec *record, all []scope) {
	if len(all) == 0 {
		return
	}
	s := all[len(all)-1]
	rec.c.Kind = s.kind
	if len(all) > 1 || !b.trusts(rec.hier)(s.path) {
		rec.c.Claimed = s.claim()
	}
}

// ofCgroups returns the record of the last of the cgroups, each nested in the one
// before; full: of the one before, which is full. nil: there is no cgroup.
func (b *builder) ofCgroups(p place, cgroups []scope) (rec *record, full bool, err error) {
	for _, s := range cgroups {
		inner, err := b.ofCgroup(p, s, rec, 0)
		if inner == nil || err != nil {
			return rec, true, err
		}
		rec = inner
	}
	return rec, false, nil
}

// ofCgroup returns the Container that a runtime's scope or a unit stands for. Of a
// scope it is that of its oldest process (of its init, for a System) if this is an
// init, else one without an init. A process known to be in it is looked at in any
// case (0: none). nil: top is full.
func (b *builder) ofCgroup(p place, s scope, top *record, member uint32) (*record, error) {
	at := p.cut(s.path)
	inode, err := b.inode(at)
	if err != nil {
		return nil, err
	}
	if rec := b.known(inode); rec != nil {
		return rec, nil
	}
	old := b.oldest(at, s.kind, member)
	if member != 0 {
		// Without it we may have taken another process for the oldest.
		if _, err := b.tag(member); err != nil {
			return nil, gone("init", member, err)
		}
	}
	var rec *record
	if s.kind != Unit && old != nil && old.status.init() {
		init, err := b.readInit(old.pid)
		if err != nil {
			return nil, err
		}
		if rec, err = b.newRecord(init); err != nil {
			return nil, err
		}
		rec.inode = inode
	} else {
		rec = b.withoutInit(at, inode, old)
	}
	rec.top = top
	b.name(rec, s)
	return b.publish(rec), nil
}

// known returns the known and living record of a unit's or scope's cgroup.
func (b *builder) known(inode uint64) *record {
	rec := b.registry.ofCgroup(inode)
	if rec == nil {
		return nil
	}
	if rec.c.InitPID != 0 && !b.unmoved(rec) || !b.alive(rec) {
		b.registry.forget(rec)
		return nil
	}
	return rec
}

// name gives a record the runtime and name of a scope to be believed, or of its
// unit; a scope inside another only its kind, since the outer container chose that
// name.
func (b *builder) name(rec *record, s scope) {
	rec.c.Kind = s.kind
	switch {
	case s.kind == Unit && rec.top != nil && claimed(rec.c.Unit.Path):
		// A container on the host's pid namespace, of a user's Podman.
		b.claim(rec, scopesOf(s.path))
	case s.kind == Unit:
		rec.c.Runtime, rec.c.Name = s.runtime, rec.c.Unit.Name
		if rec.c.Unit.User != "" {
			rec.c.Name = rec.c.Unit.User
		}
	case len(scopesOf(s.path)) == 1:
		rec.c.Runtime, rec.c.Name, rec.c.Claimed = s.runtime, s.name, ""
	default:
		rec.c.Claimed = s.claim()
	}
}

// withoutInit returns the record of a cgroup that is a Container by itself.
func (b *builder) withoutInit(at place, inode uint64, old *process) *record {
	var start uint64
	if old != nil {
		start = old.start
		if within(old.path, at.path) {
			at = old.place.cut(at.path)
		}
	}
	rec := &record{hier: at.hier, inode: inode}
	rec.c = &Container{
		Key:        Key{Inode: inode},
		Unit:       cgroup.UnitOf(at.path),
		StartTicks: start,
		CgroupPath: at.path,
		Membership: at.member,
		PIDDepth:   1,
		Top:        b.top(at),
	}
	return rec
}
