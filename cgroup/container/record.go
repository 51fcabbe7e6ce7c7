package container

import (
	"sync/atomic"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// record is a Container and what is remembered of it.
type record struct {
	c     *Container
	hier  *cgroup.Hierarchy             // of c.CgroupPath
	raw   string                        // /proc/INIT/cgroup when read
	top   *record                       // the top-level container that this one is nested in
	tag   atomic.Uint64                 // inode of /proc/INIT
	used  atomic.Bool                   // answered since the last eviction came by
	stale atomic.Bool                   // dead, or its init moved: no answer any more
	file  atomic.Pointer[hostfile.File] // /proc/INIT/cgroup, held; nil at first

	// Guarded by registry.mu once published:
	inode  uint64 // of the unit's or runtime scope's cgroup that c stands for; 0 for none
	nested int    // live records whose top this is
}

// ident is what records are found by. Inits of one tick in one cgroup share a Key.
type ident struct {
	Key
	pid uint32
}

func (rec *record) ident() ident { return ident{rec.c.Key, rec.c.InitPID} }

// text returns what the record's text costs.
func (rec *record) text() int { return textCost * len(rec.raw) }

// alone is 1 for a record that is in no other, and 0 for a nested one.
func (rec *record) alone() int {
	if rec.top == nil {
		return 1
	}
	return 0
}

// topOf returns the top-level record that rec is or is in; nil for nil.
func topOf(rec *record) *record {
	if rec != nil && rec.top != nil {
		return rec.top
	}
	return rec
}

// hold replaces the held file of the init.
func (rec *record) hold(file *hostfile.File) {
	if old := rec.file.Swap(file); old != nil {
		(*old).Close()
	}
}

// alive: the Container still is what the record says. What it costs is nobody's
// choice, and does not count.
func (m *machine) alive(rec *record) bool { return !rec.stale.Load() && m.exists(rec) }

// exists: the Container does, if not by this record.
func (m *machine) exists(rec *record) bool {
	r := m.unbounded()
	if rec.c.InitPID == 0 {
		ino, err := r.inode(place{rec.c.Membership, rec.hier, rec.c.CgroupPath})
		return err == nil && ino == rec.c.Key.Inode
	}
	tag, err := r.tag(rec.c.InitPID)
	if err != nil || tag == rec.tag.Load() {
		return err == nil
	}
	// The kernel may drop the inode of a living process when memory is short.
	s, err := r.readStat(rec.c.InitPID)
	if err != nil || s.StartTicks != rec.c.StartTicks {
		return false
	}
	rec.tag.Store(tag)
	return true
}

// unmoved: the init lives and is in the cgroups where it was. Its file is held:
// opened before it was last made sure of the process, it is that process's.
func (m *machine) unmoved(rec *record) bool {
	if rec.stale.Load() {
		return false
	}
	if held := rec.file.Load(); held != nil {
		if same, err := m.says(*held, rec.raw); err == nil {
			return same
		}
	}
	file, err := hostfile.Hold(m.host.FS, procpid.Dir(rec.c.InitPID)+"/cgroup")
	if err != nil {
		return false
	}
	same := false
	if m.alive(rec) {
		same, _ = m.says(file, rec.raw)
	}
	if !same {
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
