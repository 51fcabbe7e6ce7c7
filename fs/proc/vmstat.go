package proc

import (
	"bytes"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

const vmstatFile = "/proc/vmstat"

// AppendVmstat appends /proc/vmstat, proc_vmstat(5), with the container's counts
// of page faults and of pages swapped, where its memory.stat has them.
//
//	nr_free_pages 5227946
//	pswpin 0
//	pgfault 8711923
//
// All other lines are the host's: the gauges are pages of a size that differs
// between machines, and /proc/meminfo has them; pgpgin and pgpgout of a v1
// memory.stat mean something else (charges).
func AppendVmstat(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(vmstatFile, host); err != nil {
		return dst, err
	}
	out := dst
	for rest := host; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		name, after := cutField(line)
		value, known := vmEvent(&v.Memory.Stat, name)
		if !known {
			out = append(out, line...)
			continue
		}
		field, end := cutField(after)
		if _, ok := parseUint(field); !ok || !bytes.Equal(end, []byte("\n")) {
			return dst, malformed(vmstatFile, line)
		}
		out = append(out, line[:len(line)-len(end)-len(field)]...)
		out = append(appendUint(out, value, 0), '\n')
	}
	return out, nil
}

func vmEvent(s *cgroup.MemoryStat, name []byte) (count uint64, known bool) {
	switch string(name) {
	case "pgfault":
		return s.Pgfault, s.Has("pgfault")
	case "pgmajfault":
		return s.Pgmajfault, s.Has("pgmajfault")
	case "pswpin": // since Linux 6.13
		return s.Pswpin, s.Has("pswpin")
	case "pswpout":
		return s.Pswpout, s.Has("pswpout")
	}
	return 0, false
}
