package container

import (
	"slices"
	"sync/atomic"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// heldTask is a task that is remembered.
type heldTask struct {
	file hostfile.File // below /proc/TID: no other task's, ever
	tag  atomic.Uint64 // inode of /proc/TID when Sweep last came by; 0 before
}

func (h *heldTask) held() *heldTask { return h }

// dead: the task is no more. Its file is read only where the inode does not tell,
// for that takes a lock of the kernel's and five times as long.
func (h *heldTask) dead(m *machine, tid uint32) bool {
	info, err := m.host.FS.Stat(procpid.Dir(tid))
	if err == nil && info.Inode == h.tag.Load() {
		return false
	}
	if m.lives(h.file) != nil {
		return true
	}
	h.tag.Store(info.Inode) // the task lived still: so that was its inode
	return false
}

// sweep drops what is remembered of tasks that are no more.
func sweep[V interface {
	comparable
	held() *heldTask
}](m *machine, tasks *cache[uint32, V]) {
	tasks.mu.Lock()
	all := slices.Clone(tasks.slots)
	tasks.mu.Unlock()
	for _, s := range all {
		if !s.value.held().dead(m, s.key) {
			continue
		}
		tasks.mu.Lock()
		if now, ok := tasks.ring.get(s.key); ok && now == s.value {
			tasks.remove(s.key)
		}
		tasks.mu.Unlock()
		s.value.held().file.Close()
	}
}

// caller is a remembered decision. It is immutable. It counts while the task is
// the same and in the same cgroups.
type caller struct {
	heldTask
	raw     string // content of the task's file
	answer  answer
	version uint64 // registry.version when decided
}

// knownParent is what is known of a caller's parent: a process never leaves its pid
// namespace, so all its children of the same depth have the same init. A shell
// is asked once, however many commands it starts. Immutable once known.
type knownParent struct {
	heldTask // by /proc/PID/comm
	depth    int
	init     uint32 // pid of the init of its pid namespace; not reused while it lives
	seq      uint64 // parents.seq when it became known
}

// parents are the known ones. seq counts those ever remembered.
type parents struct {
	cache[uint32, *knownParent]
	seq atomic.Uint64
}

// of returns what is known of a process as a parent; nil when nothing is. It became
// known before seq was read, and lives still: so it was the parent of whose status
// was read in between.
func (p *parents) of(m *machine, pid uint32, seq uint64) *knownParent {
	k, ok := p.get(pid)
	if !ok || k.seq > seq || m.lives(k.file) != nil {
		return nil
	}
	return k
}

// hold opens a file of a process that is looked at as a parent: what is read by its
// pid from here on is of it, if that file can be read later. comm costs the least:
// /proc/PID/cgroup costs the kernel the square of the cgroup's depth
// (fs/kernfs/dir.c, kernfs_path_from_node_locked), under a lock of the whole machine.
func (p *parents) hold(m *machine, pid uint32) *knownParent {
	file, err := hostfile.Hold(m.host.FS, procpid.Dir(pid)+"/comm")
	if err != nil {
		return nil // gone, or 0: the walk will see
	}
	return &knownParent{heldTask: heldTask{file: file}}
}

// add remembers what was found out of a process that hold opened.
func (p *parents) add(pid uint32, k *knownParent) {
	k.seq = p.seq.Add(1)
	p.put(pid, k)
}
