package cgroup

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"math/bits"
)

// CPUQuota is a limit of CPU bandwidth: QuotaUsec microseconds of CPU time in
// each period of PeriodUsec microseconds.
type CPUQuota struct {
	// QuotaUsec is Max when there is no limit.
	QuotaUsec uint64
	// PeriodUsec is never 0 when there is a limit.
	PeriodUsec uint64
	// From says whose it is; the zero Origin for no limit.
	From Origin
}

// Ceil returns how many CPUs can run at once under the quota, rounded up, at
// least 1; math.MaxInt for no limit.
func (q CPUQuota) Ceil() int {
	if q.QuotaUsec == Max || q.PeriodUsec == 0 {
		return math.MaxInt
	}
	n := q.QuotaUsec / q.PeriodUsec
	if q.QuotaUsec%q.PeriodUsec != 0 {
		n++
	}
	return int(min(max(n, 1), math.MaxInt))
}

// tighter compares the ratios quota/period, by 128-bit cross products.
func (q CPUQuota) tighter(o CPUQuota) bool {
	if q.QuotaUsec == Max || o.QuotaUsec == Max {
		return q.QuotaUsec != Max
	}
	hi1, lo1 := bits.Mul64(q.QuotaUsec, o.PeriodUsec)
	hi2, lo2 := bits.Mul64(o.QuotaUsec, q.PeriodUsec)
	return hi1 < hi2 || hi1 == hi2 && lo1 < lo2
}

// ReadCPUQuota returns the quota with the smallest ratio among m's cgroup and
// its ancestors: cpu.max, v1 cpu.cfs_quota_us and cpu.cfs_period_us. The error
// is fs.ErrNotExist where the machine has no cpu controller; levels at which it
// is not enabled (v2) or unreadable have no quota.
func (h *Host) ReadCPUQuota(m Membership) (CPUQuota, error) {
	least := CPUQuota{QuotaUsec: Max}
	p, err := h.place(m, "cpu")
	if err != nil {
		return least, err
	}
	buf := h.buffer()
	defer h.release(buf)
	for q, level, ok := p, 1, true; ok && !q.root(); level++ {
		own := level == 1
		quota, err := h.readQuota(buf, q)
		switch {
		case err == nil && quota.tighter(least):
			least = quota
		case own && errors.Is(err, fs.ErrNotExist):
			if gone := h.removed(q); gone != nil {
				return least, gone
			}
		case err != nil && !unseen(err, own):
			return least, err
		}
		q, ok = q.above(level)
	}
	return least, nil
}

// readQuota reads the quota of one cgroup.
func (h *Host) readQuota(buf *[]byte, p place) (CPUQuota, error) {
	file, parse := "cpu.max", parseCPUMax
	if p.hierarchy.Version == 1 {
		file, parse = "cpu.cfs_quota_us", parseCFSQuota
	}
	b, err := h.content(buf, p.dir, file)
	if err != nil {
		return CPUQuota{}, err
	}
	q, err := parse(b)
	if err != nil {
		return CPUQuota{}, formatIn(file, p.dir, err)
	}
	if p.hierarchy.Version == 1 && q.QuotaUsec != Max {
		const period = "cpu.cfs_period_us"
		q.PeriodUsec, err = h.value(buf, p.dir, period, parseSingle)
		if err == nil && q.PeriodUsec == 0 {
			err = formatIn(period, p.dir, formatError([]byte("0")))
		}
	}
	q.From = Origin{p, file}
	return q, err
}

// parseCPUMax parses cpu.max, quota and period in microseconds:
//
//	max 100000
//	150000 100000
func parseCPUMax(content []byte) (CPUQuota, error) {
	line, terminated := bytes.CutSuffix(content, []byte("\n"))
	quota, period := cutField(line)
	q := CPUQuota{QuotaUsec: Max}
	var ok1, ok2 bool
	if ok1 = string(quota) == "max"; !ok1 {
		q.QuotaUsec, ok1 = parseDigits(quota)
	}
	q.PeriodUsec, ok2 = parseDigits(period)
	if !terminated || !ok1 || !ok2 || q.PeriodUsec == 0 {
		return CPUQuota{QuotaUsec: Max}, formatError(content)
	}
	return q, nil
}

// parseCFSQuota parses cpu.cfs_quota_us of v1, microseconds, -1 for no limit:
//
//	-1
func parseCFSQuota(content []byte) (CPUQuota, error) {
	if string(content) == "-1\n" {
		return CPUQuota{QuotaUsec: Max}, nil
	}
	v, err := parseSingle(content)
	return CPUQuota{QuotaUsec: v}, err
}
