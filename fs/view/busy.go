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
