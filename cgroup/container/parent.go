package container

import (
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procfs"
)

// knownParent is what is known of a caller's parent: a process never leaves its pid
// namespace, so all its children of the same depth have the same init. A shell
// is asked once, however many commands it starts. Immutable once known.
type knownParent struct {
	heldTask // by /proc/PID/comm
	depth    int
	init     uint32 // pid of the init of its pid namespace; not reused while it lives
	seq      uint64 // Resolver.parentSeq when it became known
}

// knownParentOf returns what is known of t's parent; nil when nothing is. It became
// known before t's status was read and lives still: so it was the parent then.
func (r *Resolver) knownParentOf(t *task) *knownParent {
	r.mu.Lock()
	k, ok := r.knownParents.get(t.status.ppid)
	r.mu.Unlock()
	if !ok || k.seq > t.parentSeq {
		return nil
	}
	buf := r.buffer()
	defer r.release(buf)
	var err error
	if *buf, err = k.file.Append((*buf)[:0]); err != nil {
		return nil
	}
	return k
}

// holdParent opens a file of a process that is looked at as a parent: what is read
// by its pid from here on is of it, if that file can be read later. comm costs the least: /proc/PID/cgroup costs the
// kernel the square of the cgroup's depth (fs/kernfs/dir.c,
// kernfs_path_from_node_locked), under a lock of the whole machine.
func (r *Resolver) holdParent(pid uint32) *knownParent {
	file, err := hostfile.Hold(r.host.FS, procfs.Dir(pid)+"/comm")
	if err != nil {
		return nil // gone, or 0: the walk will see
	}
	return &knownParent{heldTask: heldTask{file: file}}
}

// rememberParent remembers what was found out of a process that holdParent opened.
func (r *Resolver) rememberParent(pid uint32, k *knownParent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parentSeq++
	k.seq = r.parentSeq
	r.knownParents.put(pid, k)
}
