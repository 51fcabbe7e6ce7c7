package cgrouptree

import (
	"slices"
	"syscall"
)

// namespace is the pid namespace of a caller, for one request.
type namespace struct {
	tree   *Tree
	n      *node
	depth  int    // 1: that of the host
	init   uint32 // host's id of its init; 0: not found
	caller task
	inits  map[uint32]uint32 // of processes seen: their init at depth
}

// maxAncestors bounds the walk from a process to its init.
const maxAncestors = 64

func (t *Tree) namespace(n *node) *namespace {
	ns := &namespace{tree: t, n: n, depth: n.cred.task.depth(), caller: n.cred.task, inits: make(map[uint32]uint32)}
	if ns.depth > 1 {
		ns.init = ns.initOf(&ns.caller)
	}
	if own := n.scope.container; ns.init == 0 && own != nil && own.InitPID != 0 {
		// The caller came from outside, into the container's namespace.
		if init, err := t.task(own.InitPID); err == nil && init.depth() == ns.depth {
			ns.init = own.InitPID
		}
	}
	return ns
}

// translate returns the namespace's number of a thread; 0 if it has none.
func (ns *namespace) translate(tid uint32) uint32 {
	t, err := ns.tree.task(tid)
	if err != nil || !ns.shows(&t) {
		return 0
	}
	return t.nspid[ns.depth-1]
}

// shows: the thread is in the namespace or one below it. All namespaces of one
// depth have such numbers; which one it is says its init. A process that came
// from outside (lxc-attach) has no init among its ancestors: it counts as of the
// namespace when it is of the same container.
func (ns *namespace) shows(t *task) bool {
	switch {
	case ns.depth == 0 || t.depth() < ns.depth:
		return false
	case ns.depth == 1, t.tgid == ns.caller.tgid:
		return true
	}
	init := ns.initOf(t)
	if init != 0 && ns.init != 0 {
		return init == ns.init
	}
	return t.depth() == ns.depth && ns.sameContainer(t.tgid)
}

// initOf walks to the init of the pid namespace of the caller's depth.
func (ns *namespace) initOf(t *task) uint32 {
	var walked []uint32
	init := uint32(0)
	for range maxAncestors {
		if known, ok := ns.inits[t.tgid]; ok {
			init = known
			break
		}
		walked = append(walked, t.tgid)
		if t.depth() == ns.depth && t.nstgid[ns.depth-1] == 1 {
			init = t.tgid
			break
		}
		if t.ppid == 0 {
			break
		}
		up, err := ns.tree.task(t.ppid)
		if err != nil || up.depth() < ns.depth {
			break
		}
		t = &up
	}
	for _, pid := range walked {
		ns.inits[pid] = init
	}
	return init
}

// sameContainer asks the rules that a caller is judged by.
func (ns *namespace) sameContainer(pid uint32) bool {
	own := ns.n.scope.container
	if own == nil {
		return false
	}
	if own.InitPID != 0 {
		s, err := ns.tree.scope(pid, ns.n.h, ns.depth)
		return err == nil && s.container != nil && s.container.InitPID == own.InitPID && s.container.StartTicks == own.StartTicks
	}
	d, err := ns.tree.resolver.Resolve(pid)
	return err == nil && d.Container != nil && d.Container.Key == own.Key
}

// host returns the host's number of a thread of the container's, given that of
// the namespace; ESRCH if there is none. Only the container's cgroup and those below
// it are looked through: a process elsewhere is not the container's to move.
func (ns *namespace) host(id uint32) (tid uint32, err error) {
	switch id {
	case 0, ns.caller.nspid[ns.depth-1]:
		return ns.n.caller.TID, nil
	case ns.caller.nstgid[ns.depth-1]:
		return ns.caller.tgid, nil
	}
	if ns.depth == 1 {
		return id, nil
	}
	processes, threads := "cgroup.procs", "tasks"
	if ns.n.h.version == 2 {
		threads = "cgroup.threads"
	}
	err = ns.tree.long(ns.n.scope, func() error {
		if tid = ns.hostIn(processes, id); tid == 0 {
			tid = ns.hostIn(threads, id)
		}
		return nil
	})
	if err == nil && tid == 0 {
		err = syscall.ESRCH
	}
	return tid, err
}

// hostIn looks through one kind of list in all cgroups of the container.
func (ns *namespace) hostIn(file string, id uint32) uint32 {
	n, seen := ns.n, 0
	var done pieces
	for dirs := []string{n.scope.path}; len(dirs) > 0 && seen < maxSearch; dirs = dirs[1:] {
		dir, err := n.tree.at(n.h, n.scope, dirs[0])
		if err != nil {
			continue // removed meanwhile
		}
		text, _ := dir.append(nil, file) // EOPNOTSUPP: a threaded cgroup
		ids := parseIDs(text)
		i := slices.IndexFunc(ids, func(tid uint32) bool {
			done.add(1)
			return ns.translate(tid) == id
		})
		list, _ := readDir(dir.fd, maxSearch-seen)
		dir.close()
		if i >= 0 {
			return ids[i]
		}
		seen += len(list) + len(ids)
		for _, e := range list {
			if isDir(e) {
				dirs = append(dirs, dirs[0]+"/"+e.Name)
			}
		}
	}
	return 0
}
