package proc

import (
	"bytes"

	"linuxcontainers.org/lxcfs/fs/view"
)

const loadavgFile = "/proc/loadavg"

// Load averages are fixed-point numbers, include/linux/sched/loadavg.h.
const (
	loadShift = 11             // FSHIFT
	loadOne   = 1 << loadShift // FIXED_1
)

// AppendLoadavg appends /proc/loadavg, proc_loadavg(5): the averages over 1, 5
// and 15 minutes of the container's running and uninterruptible tasks, its
// running and existing threads, and the last process ID in its own numbering.
//
//	0.72 0.31 0.12 2/389 20117
//
// At least one task runs: the reader. A container in the host's pid namespace
// finds all of the host's processes in /proc, so it has the host's count of
// threads and last process ID: atop(1) ends where it finds more processes than
// there are threads.
//
// The host's line is kept where the view has no load averages. Further lines,
// which no kernel writes, pass through.
func AppendLoadavg(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(loadavgFile, host); err != nil {
		return dst, err
	}
	if !v.LoadKnown {
		return append(dst, host...), nil
	}
	line, rest := cutLine(host)
	_, tasks, ok := bytes.Cut(line, []byte("/"))
	if !ok {
		return dst, malformed(loadavgFile, line)
	}
	for _, load := range v.Load {
		dst = append(appendHundredths(dst, loadHundredths(load)), ' ')
	}
	dst = append(appendUint(dst, uint64(v.Running), 0), '/')
	if v.HostPIDs {
		dst = append(dst, tasks...)
	} else {
		dst = append(appendUint(dst, uint64(v.Threads), 0), ' ')
		dst = append(appendUint(dst, uint64(v.LastPID), 0), '\n')
	}
	return append(dst, rest...), nil
}

// loadHundredths rounds as LOAD_INT and LOAD_FRAC of fs/proc/loadavg.c do.
func loadHundredths(load uint64) uint64 {
	load = ceilAdd(load, loadOne/200)
	return (load>>loadShift)*100 + (load&(loadOne-1))*100>>loadShift
}
