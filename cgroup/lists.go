package cgroup

import (
	"fmt"
	"sync"
)

// listTable remembers the sets that CPU lists stand for: a machine has few
// different ones, and they are read all the time.
type listTable struct {
	mu   sync.Mutex // guards sets
	sets map[string]CPUSet
}

// maxLists bounds the sets kept; a full table begins anew.
const maxLists = 256

func (t *listTable) parse(content []byte) (CPUSet, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.sets[string(content)]; ok {
		return s, nil
	}
	s, err := ParseCPUList(content)
	if err != nil {
		return nil, err
	}
	if t.sets == nil || len(t.sets) >= maxLists {
		t.sets = make(map[string]CPUSet)
	}
	t.sets[string(content)] = s
	return s, nil
}

// ReadCPUList reads a file that is a CPU list, of /sys/devices/system/cpu.
func (h *Host) ReadCPUList(name string) (CPUSet, error) {
	buf := h.buffer()
	defer h.release(buf)
	b, err := h.FS.Append((*buf)[:0], name)
	if err != nil {
		return nil, err
	}
	*buf = b
	s, err := h.lists.parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}
