package cgroup

import (
	"errors"
	"io/fs"
)

// CPUUsage is the CPU time used by a cgroup and all below it, since the cgroup
// was made. Microseconds unless said.
type CPUUsage struct {
	// Version of the hierarchy it is from: 1 or 2.
	Version int
	// From is where the total comes from.
	From Origin
	// UsageUsec is the total; UserUsec and SystemUsec share it out.
	UsageUsec, UserUsec, SystemUsec uint64
	// NiceUsec is the part of UserUsec at low priority: v2, since Linux 6.11.
	NiceUsec uint64
	// ThrottledUsec is the time spent throttled by a quota, NrPeriods and
	// NrThrottled count periods; 0 without the cpu controller.
	ThrottledUsec, NrPeriods, NrThrottled uint64
	// PerCPU is indexed by CPU number; nil on v2, which has totals only.
	PerCPU []CPUTime
}

// CPUTime is the time used on one CPU, nanoseconds.
type CPUTime struct{ UserNsec, SystemNsec uint64 }

// ReadCPUUsage overwrites *dst with m's CPU time; the storage of dst.PerCPU is
// reused. v2 reads cpu.stat, which every cgroup has; v1 cpuacct.usage_all (before
// Linux 4.8: usage_percpu and cpuacct.stat) and the cpu controller's cpu.stat.
func (h *Host) ReadCPUUsage(m Membership, dst *CPUUsage) error {
	p, err := h.place(m, "cpuacct")
	if errors.Is(err, fs.ErrNotExist) {
		p, err = h.place(m, "") // cpu.stat needs no controller
	}
	if err != nil {
		return err
	}
	*dst = CPUUsage{Version: p.hierarchy.Version, PerCPU: dst.PerCPU[:0]}
	buf := h.buffer()
	defer h.release(buf)
	if dst.Version == 1 {
		if err := h.readCPUAcct(buf, p, dst); err != nil {
			return err
		}
		return h.readThrottled(buf, m, dst)
	}
	dst.PerCPU, dst.From = nil, p.origin(cpuStatFile)
	return h.readCPUStat(buf, p, dst)
}

// readThrottled reads v1's cpu.stat, in a hierarchy that may be another one, or
// not be there.
func (h *Host) readThrottled(buf *[]byte, m Membership, dst *CPUUsage) error {
	p, err := h.place(m, "cpu")
	if err != nil || p.hierarchy.Version != 1 {
		return nil
	}
	err = h.readCPUStat(buf, p, dst)
	if errors.Is(err, fs.ErrNotExist) { // CONFIG_CFS_BANDWIDTH
		return nil
	}
	return err
}

const cpuStatFile = "cpu.stat"

func (h *Host) readCPUStat(buf *[]byte, p place, dst *CPUUsage) error {
	b, err := h.content(buf, p.dir, cpuStatFile)
	if err != nil {
		return err
	}
	if err := parseCPUStat(b, dst); err != nil {
		return formatIn(cpuStatFile, p.dir, err)
	}
	return nil
}

// parseCPUStat parses cpu.stat, flat keyed. v2, microseconds, the lines from
// nr_periods on with the cpu controller only:
//
//	usage_usec 105209468
//	user_usec 71811015
//	system_usec 33398453
//	nice_usec 0
//	nr_periods 12
//	nr_throttled 3
//	throttled_usec 45000
//
// v1 begins at nr_periods, and has throttled_time in nanoseconds. Unknown lines
// are skipped; on v2 usage_usec has to be there.
func parseCPUStat(content []byte, dst *CPUUsage) error {
	usage := dst.Version == 1
	err := flatKeyed(content, func(key, value []byte) error {
		switch string(key) {
		case "usage_usec":
			usage = true
			return set(&dst.UsageUsec, key, value)
		case "user_usec":
			return set(&dst.UserUsec, key, value)
		case "system_usec":
			return set(&dst.SystemUsec, key, value)
		case "nice_usec":
			return set(&dst.NiceUsec, key, value)
		case "nr_periods":
			return set(&dst.NrPeriods, key, value)
		case "nr_throttled":
			return set(&dst.NrThrottled, key, value)
		case "throttled_usec":
			return set(&dst.ThrottledUsec, key, value)
		case "throttled_time":
			err := set(&dst.ThrottledUsec, key, value)
			dst.ThrottledUsec /= 1000
			return err
		}
		return nil
	})
	if err == nil && !usage {
		return formatError(content)
	}
	return err
}
