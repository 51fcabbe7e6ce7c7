package container

import (
	"sync/atomic"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

func (r *Resolver) snapshot() []*record {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*record, 0, len(r.records.slots))
	for i := range r.records.slots {
		all = append(all, r.records.slots[i].value)
	}
	return all
}

// record is a Container and what the Resolver remembers of it.
type record struct {
	c     *Container
	hier  *cgroup.Hierarchy             // of c.CgroupPath
	raw   string                        // /proc/INIT/cgroup when read
	top   *record                       // the top-level container that this one is nested in
	tag   atomic.Uint64                 // inode of /proc/INIT
	used  atomic.Bool                   // answered since the last eviction came by
	stale atomic.Bool                   // dead, or its init moved: no answer any more
	file  atomic.Pointer[hostfile.File] // /proc/INIT/cgroup, held; nil at first

	// Guarded by Resolver.mu once published:
	inode  uint64 // of the unit's or runtime scope's cgroup that c stands for; 0 for none
	nested int    // live records whose top this is
}

// ident is what records are found by. Inits of one tick in one cgroup share a Key.
type ident struct {
	Key
	pid uint32
}

func (rec *record) ident() ident { return ident{rec.c.Key, rec.c.InitPID} }

// alive: the Container still is what the record says. What it costs is nobody's
// choice, and does not count.
func (r *Resolver) alive(rec *record) bool {
	return !rec.stale.Load() && r.lives(rec)
}

// lives: the Container exists, if not by this record.
func (r *Resolver) lives(rec *record) bool {
	q := r.unbounded()
	if rec.c.InitPID == 0 {
		ino, err := q.inode(place{rec.c.Membership, rec.hier, rec.c.CgroupPath})
		return err == nil && ino == rec.c.Key.Inode
	}
	tag, err := q.tag(rec.c.InitPID)
	if err != nil || tag == rec.tag.Load() {
		return err == nil
	}
	// The kernel may drop the inode of a living process when memory is short.
	start, err := q.readStartTicks(rec.c.InitPID)
	if err != nil || start != rec.c.StartTicks {
		return false
	}
	rec.tag.Store(tag)
	return true
}

// hold replaces the held file of the init.
func (rec *record) hold(file *hostfile.File) {
	if old := rec.file.Swap(file); old != nil {
		(*old).Close()
	}
}

// forget takes a record out.
func (r *Resolver) forget(rec *record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.records.get(rec.ident()); ok && known == rec {
		r.records.remove(rec.ident())
		r.unlink(rec)
	}
}

// unlink takes a record out of all maps but records. The caller holds mu.
func (r *Resolver) unlink(rec *record) {
	rec.stale.Store(true)
	rec.hold(nil)
	if len(r.unlinked) < r.opts.MaxContainers && r.unlinkedText < maxUnlinkedText {
		r.unlinked = append(r.unlinked, rec)
		r.unlinkedText += rec.text()
	}
	if 2*len(r.unlinked) >= r.opts.MaxContainers || 2*r.unlinkedText >= maxUnlinkedText {
		select {
		case r.crowded <- struct{}{}:
		default: // said already
		}
	}
	if r.byInit[rec.c.InitPID] == rec {
		delete(r.byInit, rec.c.InitPID)
	}
	for _, inode := range []uint64{rec.inode, rec.c.Key.Inode} {
		if r.byCgroup[inode] == rec {
			delete(r.byCgroup, inode)
		}
	}
	if rec.top != nil {
		rec.top.nested--
	}
	if r.alone[rec.c.Top] -= rec.alone(); r.alone[rec.c.Top] == 0 {
		delete(r.alone, rec.c.Top)
	}
}

// text returns what the record's text costs.
func (rec *record) text() int { return textCost * len(rec.raw) }

// alone is 1 for a record that is in no other, and 0 for a nested one.
func (rec *record) alone() int {
	if rec.top == nil {
		return 1
	}
	return 0
}

// evictAlone drops one of the records alone in a top-level container, rather one
// that has not answered of late: where no scope and no unit contains them, there is
// none whose numbers one too many could be shown. The caller holds mu.
func (r *Resolver) evictAlone(top string) {
	var victim *record
	for i := range r.records.slots {
		rec := r.records.slots[i].value
		if rec.top != nil || rec.c.Top != top || rec.nested > 0 {
			continue
		}
		victim = rec
		if !rec.used.Swap(false) {
			break
		}
	}
	if victim != nil {
		r.records.remove(victim.ident())
		r.unlink(victim)
	}
}

// publish makes a record known, unless there is one for the same Container
// already, which it then returns. nil: its top-level container is full.
func (r *Resolver) publish(rec *record) *record {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.records.get(rec.ident()); ok {
		if known.raw == rec.raw {
			if known.inode == 0 {
				known.inode = rec.inode
			}
			r.index(known, known.inode)
			return known
		}
		r.records.remove(rec.ident())
		r.unlink(known)
	}
	if rec.top != nil {
		if rec.top.nested >= r.opts.MaxNested {
			return nil
		}
		rec.top.nested++
	} else if rec.c.Top != "/" && r.alone[rec.c.Top] >= r.opts.MaxNested { // all share "/" where nothing is in a cgroup
		r.evictAlone(rec.c.Top)
	}
	r.alone[rec.c.Top] += rec.alone()
	r.records.put(rec.ident(), rec)
	r.index(rec, rec.inode)
	r.version++
	return rec
}

// index makes rec the one to be found by its init, and by a scope's inode unless
// that is 0. The caller holds mu.
func (r *Resolver) index(rec *record, inode uint64) {
	if rec.c.InitPID != 0 {
		r.byInit[rec.c.InitPID] = rec
	}
	if inode != 0 {
		r.byCgroup[inode] = rec
	}
}
