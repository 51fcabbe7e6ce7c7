package cgroup

// CPUQuota is a limit of CPU bandwidth: QuotaUsec microseconds of CPU time in
// each period of PeriodUsec microseconds.
type CPUQuota struct {
	// QuotaUsec is Max when there is no limit.
	QuotaUsec uint64
	// PeriodUsec is never 0 when there is a limit.
	PeriodUsec uint64
	// From is the cgroup that has it, "" for none.
	From string
}

// Ceil returns how many CPUs can run at once under the quota, rounded up, at
// least 1; math.MaxInt for no limit.
func (q CPUQuota) Ceil() int { return 1 }

// ReadCPUQuota returns the quota with the smallest ratio among m's cgroup and
// its ancestors: cpu.max, v1 cpu.cfs_quota_us and cpu.cfs_period_us. The error
// is fs.ErrNotExist where the machine has no cpu controller.
func (h *Host) ReadCPUQuota(m Membership) (CPUQuota, error) { return CPUQuota{QuotaUsec: Max}, nil }
