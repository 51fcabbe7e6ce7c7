package cgroup

import (
	"errors"
	"io/fs"
)

// ReadCPUTotal returns the CPU time used by m's cgroup and all below it, in a
// unit of the hierarchy's: usage_usec of cpu.stat, v1 cpuacct.usage (nanoseconds).
// It costs one read, and tells whether anything ran.
func (h *Host) ReadCPUTotal(m Membership) (uint64, error) {
	p, err := h.place(m, "cpuacct")
	if errors.Is(err, fs.ErrNotExist) {
		p, err = h.place(m, "") // cpu.stat needs no controller
	}
	if err != nil {
		return 0, err
	}
	buf := h.buffer()
	defer h.release(buf)
	if p.hierarchy.Version == 1 {
		return h.value(buf, p.dir, "cpuacct.usage", parseSingle)
	}
	usage := CPUUsage{Version: 2}
	err = h.readCPUStat(buf, p, &usage)
	return usage.UsageUsec, err
}
