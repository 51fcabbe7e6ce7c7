package view

import (
	"bytes"
	"fmt"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
)

// usecPerTick converts USER_HZ, 100 on every architecture that Go runs on.
const usecPerTick = 10_000

// appendBusy parses the cpuN lines of /proc/stat, proc_stat(5), and returns how
// long each CPU was not idle, in microseconds, by CPU number. A CPU without a
// line (offline) has 0. Guest time is part of user.
//
//	cpu  10 2 3 4000 5 6 7 8 0 0
//	cpu0 10 2 3 4000 5 6 7 8 0 0
//
// Fields: user nice system idle iowait irq softirq steal guest guest_nice; idle
// and iowait do not count. Other lines are passed over.
func appendBusy(dst []uint64, stat []byte) ([]uint64, error) {
	for line := range bytes.Lines(stat) {
		if !bytes.HasPrefix(line, []byte("cpu")) {
			break // the CPUs come first
		}
		name, rest, _ := bytes.Cut(line[3:], []byte(" "))
		if len(name) == 0 {
			continue
		}
		cpu, err := strconv.Atoi(string(name))
		if err != nil || cpu < 0 || cpu >= cgroup.MaxCPUs {
			return dst, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
		}
		busy, err := sumBusy(rest)
		if err != nil {
			return dst, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
		}
		for len(dst) <= cpu {
			dst = append(dst, 0)
		}
		dst[cpu] = busy * usecPerTick
	}
	return dst, nil
}

// sumBusy adds up the first eight fields but idle and iowait.
func sumBusy(fields []byte) (uint64, error) {
	var sum uint64
	i := 0
	for field := range bytes.FieldsSeq(fields) {
		if i >= 8 {
			break
		}
		n, err := strconv.ParseUint(string(field), 10, 64)
		if err != nil || n > 1<<50 {
			return 0, cgroup.ErrFormat
		}
		if i != 3 && i != 4 {
			sum += n
		}
		i++
	}
	if i < 4 {
		return 0, cgroup.ErrFormat
	}
	return sum, nil
}

// hostCounts parses the totals of events in /proc/stat; a line that is not there
// is 0, and so is one that is no number: the renderer will say so.
//
//	intr 495259 0 0 0 26
//	ctxt 1023544
//	softirq 343434 0 63413
func hostCounts(stat []byte) (c HostCounts) {
	for line := range bytes.Lines(stat) {
		name, rest, _ := bytes.Cut(line, []byte(" "))
		var dst *uint64
		switch string(name) {
		case "intr":
			dst = &c.Intr
		case "ctxt":
			dst = &c.Ctxt
		case "softirq":
			dst = &c.Softirq
		default:
			continue
		}
		total, _, _ := bytes.Cut(bytes.TrimRight(rest, "\n"), []byte(" "))
		*dst, _ = strconv.ParseUint(string(total), 10, 64)
	}
	return c
}

// before returns what the counts were so many microseconds ago, of now since
// boot, had they always grown as fast.
func (c HostCounts) before(ago, now uint64) HostCounts {
	for _, n := range []*uint64{&c.Ctxt, &c.Intr, &c.Softirq} {
		*n -= share(*n, ago, now)
	}
	return c
}
