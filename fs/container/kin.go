package container

import "linuxcontainers.org/lxcfs/cgroup/hostfile"

// kin is what is known of a caller's parent: a process never leaves its pid
// namespace, so all its children of the same depth have the same init. A shell
// is asked once, however many commands it starts. Immutable once known.
type kin struct {
	heldTask // by /proc/PID/comm
	depth    int
	init     uint32 // pid of the init of its pid namespace; not reused while it lives
	met      uint64 // Resolver.met when it became known
}

// kinOf returns what is known of t's parent; nil when nothing is. It became
// known before t's status was read and lives still: so it was the parent then.
func (r *Resolver) kinOf(t *task) *kin {
	r.mu.Lock()
	k, ok := r.kin.get(t.status.ppid)
	r.mu.Unlock()
	if !ok || k.met > t.met {
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

// meet begins to know a process: what is read by its pid from here on is of it,
// if the file can be read later. comm costs the least: /proc/PID/cgroup costs the
// kernel the square of the cgroup's depth (fs/kernfs/dir.c,
// kernfs_path_from_node_locked), under a lock of the whole machine.
func (r *Resolver) meet(pid uint32) *kin {
	file, err := hostfile.Hold(r.host.FS, procDir(pid)+"/comm")
	if err != nil {
		return nil // gone, or 0: the walk will see
	}
	return &kin{heldTask: heldTask{file: file}}
}

// know remembers a process that was met.
func (r *Resolver) know(pid uint32, k *kin) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.met++
	k.met = r.met
	r.kin.put(pid, k)
}
