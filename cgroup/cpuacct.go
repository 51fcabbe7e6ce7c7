package cgroup

import (
	"bytes"
	"errors"
	"io/fs"
	"math/bits"
)

// readCPUAcct reads the CPU time of a v1 cgroup.
func (h *Host) readCPUAcct(buf *[]byte, p place, dst *CPUUsage) error {
	const file = "cpuacct.usage_all"
	dst.From = p.origin(file)
	b, err := h.content(buf, p.dir, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = h.readUsagePerCPU(buf, p, dst)
	case err == nil:
		if dst.PerCPU, err = parseUsageAll(b, dst.PerCPU[:0]); err != nil {
			err = formatIn(file, p.dir, err)
		}
	}
	var user, system uint64
	for _, c := range dst.PerCPU {
		user += c.UserNsec
		system += c.SystemNsec
	}
	dst.UserUsec, dst.SystemUsec = user/1000, system/1000
	dst.UsageUsec = dst.UserUsec + dst.SystemUsec
	return err
}

// readUsagePerCPU is for kernels before 4.8.
func (h *Host) readUsagePerCPU(buf *[]byte, p place, dst *CPUUsage) error {
	const stat, percpu = "cpuacct.stat", "cpuacct.usage_percpu"
	dst.From = p.origin(percpu)
	b, err := h.content(buf, p.dir, stat)
	if err != nil {
		return err
	}
	user, system, err := parseCPUAcctStat(b)
	if err != nil {
		return formatIn(stat, p.dir, err)
	}
	if b, err = h.content(buf, p.dir, percpu); err != nil {
		return err
	}
	if dst.PerCPU, err = parseUsagePerCPU(b, user, system, dst.PerCPU[:0]); err != nil {
		return formatIn(percpu, p.dir, err)
	}
	return nil
}

// parseUsageAll parses cpuacct.usage_all, nanoseconds, a line for each possible
// CPU:
//
//	cpu user system
//	0 32364957139 14136887225
//	1 39422058038 19249566145
//
// CPU numbers may have gaps; their times are 0.
func parseUsageAll(content []byte, dst []CPUTime) ([]CPUTime, error) {
	head, content, terminated := cutLine(content)
	if string(head) != "cpu user system" || !terminated {
		return dst, formatError(head)
	}
	for len(content) > 0 {
		line, rest, terminated := cutLine(content)
		number, times := cutField(line)
		user, system := cutField(times)
		cpu, ok1 := parseDigits(number)
		u, ok2 := parseDigits(user)
		s, ok3 := parseDigits(system)
		if !terminated || !ok1 || !ok2 || !ok3 || cpu >= MaxCPUs || cpu < uint64(len(dst)) {
			return dst, formatError(line)
		}
		for uint64(len(dst)) < cpu {
			dst = append(dst, CPUTime{})
		}
		dst = append(dst, CPUTime{UserNsec: u, SystemNsec: s})
		content = rest
	}
	return dst, nil
}

// parseCPUAcctStat parses cpuacct.stat, flat keyed, ticks (USER_HZ):
//
//	user 7645
//	system 3555
func parseCPUAcctStat(content []byte) (userTicks, systemTicks uint64, err error) {
	err = flatKeyed(content, func(key, value []byte) error {
		switch string(key) {
		case "user":
			return set(&userTicks, key, value)
		case "system":
			return set(&systemTicks, key, value)
		}
		return nil
	})
	return userTicks, systemTicks, err
}

// parseUsagePerCPU parses cpuacct.usage_percpu, the nanoseconds of each possible
// CPU, a blank after each:
//
//	46501844364 58671624183 \n
//
// and splits each into user and system time in the ratio given.
func parseUsagePerCPU(content []byte, user, system uint64, dst []CPUTime) ([]CPUTime, error) {
	line, terminated := bytes.CutSuffix(content, []byte("\n"))
	if !terminated {
		return dst, formatError(content)
	}
	for len(line) > 0 {
		var field []byte
		field, line = cutField(line)
		v, ok := parseDigits(field)
		if !ok || len(dst) == MaxCPUs {
			return dst, formatError(content)
		}
		u := share(v, user, system)
		dst = append(dst, CPUTime{UserNsec: u, SystemNsec: v - u})
	}
	return dst, nil
}

// share returns the part of v that part has in part+other; all of it when both
// are 0.
func share(v, part, other uint64) uint64 {
	sum, carry := bits.Add64(part, other, 0)
	if sum == 0 || carry != 0 {
		return v
	}
	hi, lo := bits.Mul64(v, part)
	q, _ := bits.Div64(hi, lo, sum) // hi < sum, as part <= sum
	return q
}
