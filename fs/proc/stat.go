package proc

import (
	"bytes"
	"time"

	"linuxcontainers.org/lxcfs/fs/view"
)

const statFile = "/proc/stat"

// AppendStat appends /proc/stat, proc_stat(5).
//
//	cpu  13475 0 6157 438061 671 0 102 11 0 0
//	cpu0 6299 0 2533 220252 82 0 13 5 0 0
//	intr 495259 0 0 0 26 ...
//	btime 1795492591
//	processes 46716
//	procs_running 1
//
// The cpu lines, in ticks (USER_HZ), are the container's: cpu is its total, a
// cpuN is there when the container sees CPU N. They have as many columns as the
// host's. guest and guest_nice are 0, and so are iowait, irq, softirq and steal:
// no cgroup is charged for them. (A quota's throttling is no steal: the CPU was
// not taken away, and how much was wanted is not known.)
//
// procs_running and procs_blocked are the container's tasks, processes the tasks
// that it made. Where the container has no pid namespace of its own, processes
// is its highest pid.
//
// ctxt, intr and softirq the kernel counts for the machine alone. Their totals
// are the machine's since the container's start ([view.HostCounts]): rates are
// the machine's, and the mean since the start that vmstat(8) and sar(1) print
// first is too, where the host's own totals over the container's uptime would be
// absurd. What each interrupt and softirq had, which tells of the machine's
// devices, is 0.
//
// btime is the host's, because the start times of processes, field 22 of
// /proc/PID/stat, count from the host's boot: with another btime ps(1) would show
// starts in the future. Only a time namespace (time_namespaces(7)) shifts them,
// for its readers, and for these btime is shifted with them, as the kernel does
// (timens_sub_boottime in fs/proc/stat.c). Where the offset is no whole number of
// seconds, a second may be missing: the host's btime is cut to seconds. Other
// lines pass through.
func AppendStat(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(statFile, host); err != nil {
		return dst, err
	}
	out, next := dst, v.CPUTicks
	for rest := host; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		var ok bool
		if bytes.HasPrefix(line, []byte("cpu")) {
			out, next, ok = appendCPULine(out, line, next, &v.CPUTotal)
		} else {
			out, ok = appendTasksLine(out, line, v)
		}
		if !ok {
			return dst, malformed(statFile, line)
		}
	}
	return out, nil
}

// appendCPULine appends the container's line in place of "cpu ..." or
// "cpuN ...", or nothing for a CPU that it does not see. next are the visible
// CPUs from the last line's on: the kernel's lines are in ascending order.
func appendCPULine(dst, line []byte, next []view.PerCPU, total *view.CPUTicks) ([]byte, []view.PerCPU, bool) {
	name, fields := cutField(line)
	if len(name) == len("cpu") {
		dst, ok := appendTicks(dst, line, fields, total)
		return dst, next, ok
	}
	cpu, ok := parseUint(name[len("cpu"):])
	if !ok {
		return dst, next, false
	}
	for len(next) > 0 && uint64(next[0].CPU) < cpu {
		next = next[1:]
	}
	if len(next) == 0 || uint64(next[0].CPU) != cpu {
		return dst, next, true
	}
	dst, ok = appendTicks(dst, line, fields, &next[0].CPUTicks)
	return dst, next, ok
}

// appendTicks appends line with the numbers in its fields, a part of line,
// replaced. Steal is there since Linux 2.6.11, guest since 2.6.24, guest_nice
// since 2.6.33.
func appendTicks(dst, line, fields []byte, t *view.CPUTicks) ([]byte, bool) {
	values := [...]uint64{t.User, t.Nice, t.System, t.Idle, t.Iowait, t.Irq, t.Softirq, t.Steal}
	head := line[:len(line)-len(fields)]
	dst = append(dst, head...)
	column := 0
	for ; ; column++ {
		field, rest := cutField(fields)
		if len(field) == 0 {
			break
		}
		if _, ok := parseUint(field); !ok {
			return dst, false
		}
		var value uint64
		if column < len(values) {
			value = values[column]
		}
		dst = append(dst, fields[:len(fields)-len(rest)-len(field)]...)
		dst = appendUint(dst, value, 0)
		fields = rest
	}
	return append(dst, fields...), column >= 4
}

// appendTasksLine appends a line that is not a CPU's.
func appendTasksLine(dst, line []byte, v *view.View) ([]byte, bool) {
	name, rest := cutField(line)
	if string(name) == "btime" && v.ClockOffset != 0 {
		return appendBootTime(dst, line, rest, v.ClockOffset)
	}
	base, count := countBase(name, v)
	value, task := tasksValue(name, v)
	if !count && !task {
		return append(dst, line...), true
	}
	field, end := cutField(rest)
	old, ok := parseUint(field)
	if !ok || task && !bytes.Equal(end, []byte("\n")) {
		return dst, false
	}
	if count {
		value = floorSub(old, base)
	}
	dst = append(dst, line[:len(line)-len(end)-len(field)]...)
	return appendZeros(appendUint(dst, value, 0), end)
}

// appendBootTime appends the line of btime, whose fields are rest, for a reader
// whose boot clock is ahead by an offset: it began so much earlier.
func appendBootTime(dst, line, rest []byte, offset time.Duration) ([]byte, bool) {
	field, end := cutField(rest)
	boot, ok := parseUint(field)
	if !ok || !bytes.Equal(end, []byte("\n")) {
		return dst, false
	}
	ahead := offset / time.Second
	if offset%time.Second > 0 {
		ahead++ // cut down, of the moment
	}
	if ahead < 0 {
		boot = ceilAdd(boot, uint64(-ahead))
	} else {
		boot = floorSub(boot, uint64(ahead))
	}
	dst = append(dst, line[:len(line)-len(end)-len(field)]...)
	return append(appendUint(dst, boot, 0), end...), true
}

// appendZeros appends the fields of rest, up to and with the newline, as 0.
func appendZeros(dst, rest []byte) ([]byte, bool) {
	for {
		field, after := cutField(rest)
		if len(field) == 0 {
			return append(dst, rest...), true
		}
		if _, ok := parseUint(field); !ok {
			return dst, false
		}
		dst = append(dst, rest[:len(rest)-len(after)-len(field)]...)
		dst, rest = append(dst, '0'), after
	}
}

// countBase returns what the host's total on a line was at the container's start.
func countBase(name []byte, v *view.View) (base uint64, known bool) {
	switch string(name) {
	case "ctxt":
		return v.Base.Ctxt, true
	case "intr":
		return v.Base.Intr, true
	case "softirq":
		return v.Base.Softirq, true
	}
	return 0, false
}

func tasksValue(name []byte, v *view.View) (count uint64, known bool) {
	switch string(name) {
	case "processes":
		return v.Tasks.Processes, true
	case "procs_running":
		return v.Tasks.Running, true
	case "procs_blocked":
		return v.Tasks.Blocked, true
	}
	return 0, false
}
