package proc

import (
	"time"

	"linuxcontainers.org/lxcfs/fs/view"
)

// AppendUptime appends /proc/uptime, proc_uptime(5): the time since the
// container's start, and the time that its CPUs were idle since then, summed
// over them.
//
//	350735.47 234388.90
//
// Both are seconds, cut and not rounded to hundredths (fs/proc/uptime.c). The
// host's first line is replaced whatever it says; others, which no kernel
// writes, pass through.
//
// The start times of processes count from the host's boot, which nothing but a
// time namespace (time_namespaces(7)) changes. ps(1) takes the age of a process
// from this file and its start time: in a container etime, etimes and %CPU of
// "ps aux" are wrong, 0 or, by its unsigned subtraction, huge. START and lstart,
// which are made from btime, are right.
//
// To a reader in a time namespace whose boot clock has an offset, uptime is what
// that clock says, as the kernel's (timens_add_boottime in fs/proc/uptime.c): who
// made it wanted that, sysinfo(2) and CLOCK_BOOTTIME say the same, and all of ps
// is right.
func AppendUptime(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText("/proc/uptime", host); err != nil {
		return dst, err
	}
	_, rest := cutLine(host)
	dst = append(appendHundredths(dst, hundredths(v.Uptime)), ' ')
	dst = append(appendHundredths(dst, hundredths(v.Idle)), '\n')
	return append(dst, rest...), nil
}

// hundredths returns d in hundredths of a second.
func hundredths(d time.Duration) uint64 {
	return uint64(max(d, 0) / (10 * time.Millisecond))
}
