package container

import (
	"sync/atomic"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// Sweep lets go of what is of tasks and Containers that exist no more, files that
// are held open for them first of all. It returns the Containers that were
// forgotten since it was last called: those that are dead, and of which nothing
// is needed any more, and others, that moved to other cgroups or made room. Nobody
// is given a dead one as an answer without Sweep; but who never calls it keeps
// what was remembered of them until there is no more room.
//
// It costs a stat(2) for each Container, and for each remembered caller and parent
// of one that lives. Their number is bounded by the [Options].
func (r *Resolver) Sweep() (dead, others []*Container) {
	sweep(r, &r.callers)
	sweep(r, &r.knownParents)
	r.bury(all)
	r.mu.Lock()
	r.lines.fade()
	gone := r.unlinked
	r.unlinked, r.unlinkedText = nil, 0
	living := make(map[Key]bool, len(r.records.slots))
	for i := range r.records.slots {
		living[r.records.slots[i].value.c.Key] = true
	}
	r.mu.Unlock()
	for _, rec := range gone {
		// Two inits of one tick in one cgroup have one Key.
		if !living[rec.c.Key] && !r.lives(rec) {
			dead = append(dead, rec.c)
		} else {
			others = append(others, rec.c)
		}
	}
	return dead, others
}

// Crowded receives when so many Containers were forgotten that [Resolver.Sweep] is
// to be called soon: it tells of no more than are remembered at a time, and what is
// held open of one that it did not tell of stays open.
func (r *Resolver) Crowded() <-chan struct{} { return r.crowded }

func all(*record) bool { return true }

// bury forgets the Containers that exist no more, of those that it is told.
func (r *Resolver) bury(which func(*record) bool) {
	for _, rec := range r.snapshot() {
		if which(rec) && !r.alive(rec) {
			r.forget(rec)
		}
	}
}

// heldTask is a task that is remembered.
type heldTask struct {
	file hostfile.File // below /proc/TID: no other task's, ever
	tag  atomic.Uint64 // inode of /proc/TID when Sweep last came by; 0 before
}

// dead: the task is no more. Its file is read only where the inode does not tell,
// for that takes a lock of the kernel's and five times as long.
func (h *heldTask) dead(r *Resolver, tid uint32) bool {
	tag, err := r.unbounded().tag(tid)
	if err == nil && tag == h.tag.Load() {
		return false
	}
	buf := r.buffer()
	defer r.release(buf)
	if *buf, err = h.file.Append((*buf)[:0]); err != nil {
		return true
	}
	h.tag.Store(tag) // the task lived still: so that was its inode
	return false
}

func (h *heldTask) held() *heldTask { return h }

// sweep drops the entries whose task is no more.
func sweep[V interface {
	comparable
	held() *heldTask
}](r *Resolver, tasks *ring[uint32, V]) {
	r.mu.Lock()
	all := tasks.all()
	r.mu.Unlock()
	for _, s := range all {
		if !s.value.held().dead(r, s.key) {
			continue
		}
		r.mu.Lock()
		if now, ok := tasks.get(s.key); ok && now == s.value {
			tasks.remove(s.key)
		}
		r.mu.Unlock()
		s.value.held().file.Close()
	}
}
