package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
)

// ReadCPUSet returns the CPUs that m may run on: the first non-empty
// cpuset.cpus.effective (v1 cpuset.effective_cpus, else cpuset.cpus) of m's
// cgroup and its ancestors, those left out that are unreadable or without the
// controller; and where that is. The set is not empty unless err is set; the error
// is fs.ErrNotExist where the machine has no cpuset controller.
func (h *Host) ReadCPUSet(m Membership) (CPUSet, Origin, error) {
	return h.readCPUSet(m, cpusetFiles{"cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"})
}

// ReadMemoryNodes returns the memory nodes that m may allocate from, in the same
// way: cpuset.mems.effective (v1 cpuset.effective_mems, else cpuset.mems).
func (h *Host) ReadMemoryNodes(m Membership) (CPUSet, error) {
	nodes, _, err := h.readCPUSet(m, cpusetFiles{"cpuset.mems.effective", "cpuset.effective_mems", "cpuset.mems"})
	return nodes, err
}

// cpusetFiles are the names of one list. old: before Linux 3.17.
type cpusetFiles struct{ v2, v1, old string }

func (h *Host) readCPUSet(m Membership, files cpusetFiles) (CPUSet, Origin, error) {
	p, err := h.place(m, "cpuset")
	if err != nil {
		return nil, Origin{}, err
	}
	buf := h.buffer()
	defer h.release(buf)
	for q, level, ok := p, 1, true; ok; level++ {
		own := level == 1
		s, file, err := h.readEffective(buf, q, files)
		switch {
		case err == nil && !s.Empty():
			return s, q.origin(file), nil
		case own && errors.Is(err, fs.ErrNotExist):
			if gone := h.removed(q); gone != nil {
				return nil, Origin{}, gone
			}
		case err != nil && !unseen(err, own):
			return nil, Origin{}, err
		}
		q, ok = q.above(level)
	}
	return nil, Origin{}, fmt.Errorf("non-empty cpuset of %q: %w", p.path, fs.ErrNotExist)
}

// readEffective reads a list of one cgroup, and says from which file. The CPUs
// are none in a v2 cgroup that has given all its CPUs to partitions below, and in
// a v1 cgroup that nobody configured.
func (h *Host) readEffective(buf *[]byte, p place, files cpusetFiles) (s CPUSet, file string, err error) {
	file = files.v2
	if p.hierarchy.Version == 1 {
		file = files.v1
	}
	b, err := h.content(buf, p.dir, file)
	if p.hierarchy.Version == 1 && errors.Is(err, fs.ErrNotExist) {
		file = files.old
		b, err = h.content(buf, p.dir, file)
	}
	if err != nil {
		return nil, file, err
	}
	if s, err = h.lists.parse(b); err != nil {
		err = formatIn(file, p.dir, err)
	}
	return s, file, err
}
