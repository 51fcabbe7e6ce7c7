package cgroup

// ReadCPUSet returns the CPUs that m may run on: the first non-empty
// cpuset.cpus.effective (v1 cpuset.effective_cpus, else cpuset.cpus) of m's
// cgroup and its ancestors. The set is not empty unless err is set; the error
// is fs.ErrNotExist where the machine has no cpuset controller.
func (h *Host) ReadCPUSet(m Membership) (CPUSet, error) { return nil, nil }
