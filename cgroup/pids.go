package cgroup

// ReadPids returns pids.current, the number of tasks in m's cgroup and all
// below it, and the smallest pids.max of the cgroup and its ancestors, [Max]
// for none. The error is fs.ErrNotExist where no pids controller counts for m.
func (h *Host) ReadPids(m Membership) (current, limit uint64, err error) {
	const file = "pids.current"
	p, err := h.place(m, "pids")
	if err != nil {
		return 0, Max, err
	}
	buf := h.buffer()
	defer h.release(buf)
	b, p, err := h.charged(buf, p, file)
	if err != nil {
		return 0, Max, err
	}
	if current, err = parseSingle(b); err != nil {
		return 0, Max, formatIn(file, p.dir, err)
	}
	limit, _, err = h.limit(buf, p, "pids.max", parseMax)
	return current, limit, err
}
