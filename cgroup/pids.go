package cgroup

// ReadPids returns pids.current, the number of tasks in m's cgroup and all
// below it, and the smallest pids.max of the cgroup and its ancestors. The error
// is fs.ErrNotExist where no pids controller counts for m.
func (h *Host) ReadPids(m Membership) (current uint64, limit Limit, err error) {
	p, err := h.place(m, "pids")
	if err != nil {
		return 0, Limit{Value: Max}, err
	}
	return h.counted(p, "pids.current", "pids.max", parseMax)
}
