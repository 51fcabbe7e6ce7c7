package proc

import (
	"bytes"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

const vmstatFile = "/proc/vmstat"

// AppendVmstat appends /proc/vmstat, proc_vmstat(5), with the container's events
// of those that vmstat(8), sar(1) and node_exporter read: pages in and out
// (pgpgin and pgpgout, kB of io.stat's bytes; a device that is stacked on another
// counts beside it), swapped in and out, faults, and the kills of the
// out-of-memory killer.
//
//	nr_free_pages 5227946
//	pgpgin 1402123
//	pswpin 0
//	pgfault 8711923
//
// What the kernel does not count for a cgroup is 0: pages swapped before Linux
// 6.13 and on v1. (pgpgin and pgpgout of a v1 memory.stat are charges, something
// else.) All other lines are the host's: the gauges (nr_...) are pages of a size
// that differs between machines, and /proc/meminfo has them; the other events
// are of the kernel's work for the whole machine.
func AppendVmstat(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(vmstatFile, host); err != nil {
		return dst, err
	}
	out := dst
	for rest := host; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		name, after := cutField(line)
		value, known := vmEvent(v, name)
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

func vmEvent(v *view.View, name []byte) (count uint64, known bool) {
	s := &v.Memory.Stat
	switch string(name) {
	case "pgpgin":
		read, _ := transferred(v.IO)
		return read >> 10, true
	case "pgpgout":
		_, written := transferred(v.IO)
		return written >> 10, true
	case "pswpin": // since Linux 6.13
		return s.Pswpin, true
	case "pswpout":
		return s.Pswpout, true
	case "pgfault":
		return s.Pgfault, true
	case "pgmajfault":
		return s.Pgmajfault, true
	case "oom_kill":
		return v.OOMKills, true
	}
	return 0, false
}

// transferred returns the bytes read from and written to all devices.
func transferred(all []cgroup.IOStat) (read, written uint64) {
	for i := range all {
		read = ceilAdd(read, all[i].Rbytes)
		written = ceilAdd(written, all[i].Wbytes)
	}
	return read, written
}
