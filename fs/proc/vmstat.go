package proc

import (
	"bytes"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/memory"
	"linuxcontainers.org/lxcfs/fs/view"
)

const vmstatFile = "/proc/vmstat"

// AppendVmstat appends /proc/vmstat, proc_vmstat(5): the gauges of /proc/meminfo
// in pages ([memory.Memory.Vmstat]), the events that memory.stat counts for the
// container ([vmEvent]), and the thresholds of its dirty pages ([thresholds]).
//
//	nr_free_pages 5227946
//	nr_dirty_threshold 1194574
//	pgpgin 1402123
//	pgfault 8711923
//
// Every other line is 0: the kernel counts what is in it for the whole machine
// and for no cgroup, so nothing of it is known to be the container's, and all of
// it may be its neighbours'. What there is a line of memory.stat for on other
// kernels, or on v2 only, is 0 where there is none.
func AppendVmstat(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(vmstatFile, host); err != nil {
		return dst, err
	}
	m := memory.New(v, v.Host.Total>>10, v.Host.Swap>>10)
	t := newThresholds(host, &m)
	out := dst
	for rest := host; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		name, after := cutField(line)
		field, end := cutField(after)
		old, ok := parseUint(field)
		if !ok || !bytes.Equal(end, []byte("\n")) {
			return dst, malformed(vmstatFile, line)
		}
		value, known := m.Vmstat(name, old)
		if !known {
			value, known = vmEvent(v, name)
		}
		if !known {
			value = t.value(name, old)
		}
		out = append(out, line[:len(line)-len(end)-len(field)]...)
		out = append(appendUint(out, value, 0), '\n')
	}
	return out, nil
}

// vmEvent returns the container's count of events; known is false for what no
// cgroup counts.
func vmEvent(v *view.View, name []byte) (count uint64, known bool) {
	s := &v.Memory.Stat
	switch string(name) {
	case "pgpgin": // kB; those of a v1 memory.stat are charges, something else
		read, _ := transferred(v.IO)
		return read >> 10, true
	case "pgpgout":
		_, written := transferred(v.IO)
		return written >> 10, true
	case "pswpin":
		return s.Pswpin, true
	case "pswpout":
		return s.Pswpout, true
	case "pgfault":
		return s.Pgfault, true
	case "pgmajfault":
		return s.Pgmajfault, true
	case "oom_kill":
		return v.OOMKills, true
	case "pgscan_direct":
		return direct(s, "pgscan", "pgscan_kswapd", "pgscan_khugepaged", "pgscan_proactive"), true
	case "pgsteal_direct":
		return direct(s, "pgsteal", "pgsteal_kswapd", "pgsteal_khugepaged", "pgsteal_proactive"), true
	}
	return s.Event(string(name))
}

// direct returns what the other kinds leave of all reclaim: what the container's
// own processes did when it was at its limit. Before Linux 6.0 memory.stat has no
// kinds, and all is taken for that.
func direct(s *cgroup.MemoryStat, all string, kinds ...string) uint64 {
	left, _ := s.Event(all)
	for _, kind := range kinds {
		n, _ := s.Event(kind)
		left = floorSub(left, n)
	}
	return left
}

// transferred returns the bytes read from and written to all devices. A device
// that is stacked on another counts beside it.
func transferred(all []cgroup.IOStat) (read, written uint64) {
	for i := range all {
		read = ceilAdd(read, all[i].Rbytes)
		written = ceilAdd(written, all[i].Wbytes)
	}
	return read, written
}

// thresholds are of how many dirty pages writers begin to be slowed down. The
// kernel reckons them from the pages that could be dirty, the free ones and the
// page cache (mm/page-writeback.c, global_dirtyable_memory), by a ratio that is
// the same for all: the container's are to the host's as its pages are to the
// host's.
type thresholds struct{ own, host uint64 }

func newThresholds(host []byte, m *memory.Memory) (t thresholds) {
	for len(host) > 0 {
		var line []byte
		line, host = cutLine(host)
		name, after := cutField(line)
		switch string(name) {
		case "nr_free_pages", "nr_inactive_file", "nr_active_file":
			field, _ := cutField(after)
			old, _ := parseUint(field)
			own, _ := m.Vmstat(name, old)
			t.own, t.host = ceilAdd(t.own, own), ceilAdd(t.host, old)
		}
	}
	return t
}

// value returns what stands in a line that is neither a figure of the memory nor
// an event.
func (t thresholds) value(name []byte, host uint64) uint64 {
	switch string(name) {
	case "nr_dirty_threshold", "nr_dirty_background_threshold":
		return memory.Scale(host, t.own, t.host)
	}
	return 0
}
