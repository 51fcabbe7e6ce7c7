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

// looser reports whether q allows more than quota in each period: it compares the
// ratios, by 128-bit cross products.
func (q *CPUQuota) looser(quota, period uint64) bool {
	if quota == Max || q.QuotaUsec == Max {
		return quota != Max
	}
	hi1, lo1 := bits.Mul64(quota, q.PeriodUsec)
	hi2, lo2 := bits.Mul64(q.QuotaUsec, period)
	return hi1 < hi2 || hi1 == hi2 && lo1 < lo2
}

// ReadCPUQuota returns the quota with the smallest ratio among m's cgroup and
// its ancestors: cpu.max, v1 cpu.cfs_quota_us and cpu.cfs_period_us. The error
// is fs.ErrNotExist where the machine has no cpu controller; levels at which it
// is not enabled (v2) or unreadable have no quota.
func (h *Host) ReadCPUQuota(m Membership) (least CPUQuota, err error) {
	least.QuotaUsec = Max
	p, err := h.place(m, "cpu")
	if err != nil {
		return least, err
	}
	buf := h.buffer()
	defer h.release(buf)
	for q, level, ok := p, 1, true; ok && !q.root(); level++ {
		own := level == 1
		quota, period, err := h.readQuota(buf, q)
		switch {
		case err == nil && least.looser(quota, period):
			least.QuotaUsec, least.PeriodUsec = quota, period
			least.From = q.origin(quotaFile(q))
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

func quotaFile(p place) string {
	if p.hierarchy.Version == 1 {
		return "cpu.cfs_quota_us"
	}
	return "cpu.max"
}

// readQuota reads the quota of one cgroup, and its period.
func (h *Host) readQuota(buf *[]byte, p place) (quota, period uint64, err error) {
	file, parse := quotaFile(p), parseCPUMax
	if p.hierarchy.Version == 1 {
		parse = parseCFSQuota
	}
	b, err := h.content(buf, p.dir, file)
	if err != nil {
		return 0, 0, err
	}
	if quota, period, err = parse(b); err != nil {
		return 0, 0, formatIn(file, p.dir, err)
	}
	if p.hierarchy.Version == 1 && quota != Max {
		const file = "cpu.cfs_period_us"
		period, err = h.value(buf, p.dir, file, parseSingle)
		if err == nil && period == 0 {
			err = formatIn(file, p.dir, formatError([]byte("0")))
		}
	}
	return quota, period, err
}

// parseCPUMax parses cpu.max, quota and period in microseconds:
//
//	max 100000
//	150000 100000
func parseCPUMax(content []byte) (quota, period uint64, err error) {
	line, terminated := bytes.CutSuffix(content, []byte("\n"))
	first, second := cutField(line)
	quota, ok1 := parseDigits(first)
	if string(first) == "max" {
		quota, ok1 = Max, true
	}
	period, ok2 := parseDigits(second)
	if !terminated || !ok1 || !ok2 || period == 0 {
		return Max, 0, formatError(content)
	}
	return quota, period, nil
}

// parseCFSQuota parses cpu.cfs_quota_us of v1, microseconds, -1 for no limit; the
// period is in another file:
//
//	-1
func parseCFSQuota(content []byte) (quota, period uint64, err error) {
	if string(content) == "-1\n" {
		return Max, 0, nil
	}
	quota, err = parseSingle(content)
	return quota, 0, err
}
