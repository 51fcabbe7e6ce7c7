package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
)

// ReadCPUSet returns the CPUs that m may run on: the first non-empty
// cpuset.cpus.effective (v1 cpuset.effective_cpus, else cpuset.cpus) of m's
// cgroup and its ancestors, those left out that are unreadable or without the
// controller. The set is not empty unless err is set; the error is
// fs.ErrNotExist where the machine has no cpuset controller.
func (h *Host) ReadCPUSet(m Membership) (CPUSet, error) {
	p, err := h.place(m, "cpuset")
	if err != nil {
		return nil, err
	}
	buf := h.buffer()
	defer h.release(buf)
	for q, own, ok := p, true, true; ok; own = false {
		s, err := h.readEffectiveCPUs(buf, q)
		switch {
		case err == nil && !s.Empty():
			return s, nil
		case own && errors.Is(err, fs.ErrNotExist):
			if gone := h.removed(q); gone != nil {
				return nil, gone
			}
		case err != nil && !unseen(err, own):
			return nil, err
		}
		q, ok = q.parent()
	}
	return nil, fmt.Errorf("non-empty cpuset of %q: %w", p.path, fs.ErrNotExist)
}

// readEffectiveCPUs reads the CPUs of one cgroup. They are empty in a v2 cgroup
// that has given all its CPUs to partitions below, and in a v1 cgroup that
// nobody configured. v1's cpuset.cpus alone: before Linux 3.17.
func (h *Host) readEffectiveCPUs(buf *[]byte, p place) (CPUSet, error) {
	file := "cpuset.cpus.effective"
	if p.hierarchy.Version == 1 {
		file = "cpuset.effective_cpus"
	}
	b, err := h.content(buf, p.dir, file)
	if p.hierarchy.Version == 1 && errors.Is(err, fs.ErrNotExist) {
		file = "cpuset.cpus"
		b, err = h.content(buf, p.dir, file)
	}
	if err != nil {
		return nil, err
	}
	s, err := ParseCPUList(b)
	if err != nil {
		return nil, formatIn(file, p.dir, err)
	}
	return s, nil
}
