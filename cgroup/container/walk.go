package container

// maxSteps is how far up the tree of processes the init is looked for.
const maxSteps = 32

// walk goes up from t to the init of its pid namespace. A parent of equal depth
// is in the same pid namespace. pid is 0 when the parents lead out of it.
//
// A parent that died while we read it may be another process by then: its pid
// counts only if it still is the parent afterwards.
func (q *inquiry) walk(t *task) (pid uint32, err error) {
	if t.status.init() {
		return t.status.tgid, nil
	}
	if k := q.memory.parents.of(q.machine, t.status.ppid, q.parentSeq); k != nil && k.depth == t.status.depth {
		return k.init, nil
	}
	q.walked = true
	parent := q.memory.parents.hold(q.machine, t.status.ppid)
	pid, err = q.walkUp(t)
	switch {
	case parent == nil:
	case pid != 0 && err == nil:
		parent.depth, parent.init = t.status.depth, pid
		q.memory.parents.add(t.status.ppid, parent)
	default:
		parent.file.Close()
	}
	return pid, err
}

// walkUp is walk without what is known of the caller's parent.
func (r *reader) walkUp(t *task) (pid uint32, err error) {
	child, s := t.pid, t.status
	for range maxSteps {
		if s.ppid == 0 {
			return 0, nil
		}
		parent, err := r.readStatus(s.ppid)
		if err != nil {
			return 0, changed(err)
		}
		again, err := r.readStatus(child)
		if err != nil {
			return 0, changed(err)
		}
		if again.ppid != s.ppid || parent.depth > s.depth {
			return 0, errChanged
		}
		if parent.depth < s.depth {
			return 0, nil
		}
		if parent.init() {
			return s.ppid, nil
		}
		child, s = s.ppid, parent
	}
	return 0, nil
}
