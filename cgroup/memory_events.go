package cgroup

import (
	"errors"
	"io/fs"
)

// ReadOOMKills returns how many processes of m's cgroup the out-of-memory killer
// ended: oom_kill of memory.events, with all cgroups below (since Linux 4.13;
// alone on a mount with memory_localevents), v1 of memory.oom_control, without.
// It is 0 where the kernel does not say.
func (h *Host) ReadOOMKills(m Membership) (uint64, error) {
	p, err := h.place(m, "memory")
	if err != nil {
		return 0, err
	}
	file := "memory.events"
	if p.hierarchy.Version == 1 {
		file = "memory.oom_control"
	}
	buf := h.buffer()
	defer h.release(buf)
	b, p, err := h.charged(buf, p, file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	kills, err := parseOOMKills(b)
	if err != nil {
		return 0, formatIn(file, p.dir, err)
	}
	return kills, nil
}

// parseOOMKills parses memory.events, flat keyed, and v1's memory.oom_control:
//
//	low 0
//	oom_kill 2
//
// Other lines are skipped; without this one the count is 0.
func parseOOMKills(content []byte) (kills uint64, err error) {
	err = flatKeyed(content, func(key, value []byte) error {
		if string(key) != "oom_kill" {
			return nil
		}
		return set(&kills, key, value)
	})
	return kills, err
}
