package cgroup

import (
	"io/fs"
	"math"
	"syscall"
	"testing"
)

func TestCPUQuotaCeil(t *testing.T) {
	tests := []struct {
		name string
		q    CPUQuota
		want int
	}{
		{"none", CPUQuota{QuotaUsec: Max}, math.MaxInt},
		{"zero value", CPUQuota{}, math.MaxInt},
		{"half", CPUQuota{QuotaUsec: 50000, PeriodUsec: 100000}, 1},
		{"one", CPUQuota{QuotaUsec: 100000, PeriodUsec: 100000}, 1},
		{"one and a bit", CPUQuota{QuotaUsec: 100001, PeriodUsec: 100000}, 2},
		{"zero quota", CPUQuota{QuotaUsec: 0, PeriodUsec: 100000}, 1},
		{"huge", CPUQuota{QuotaUsec: Max - 1, PeriodUsec: 1}, math.MaxInt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.q.Ceil(); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestReadCPUQuota(t *testing.T) {
	v2, a := captured(t, "v2")
	v1, a1 := captured(t, "v1")
	none := CPUQuota{QuotaUsec: Max}
	c1 := CPUQuota{250000, 100000, Origin{&v2.Hierarchies[0], "/lxc/c1", "cpu.max"}}
	parent := CPUQuota{300000, 100000, Origin{&v2.Hierarchies[0], "/lxc", "cpu.max"}}
	check := func(name string, h *Host, path string, want CPUQuota, wantErr error) {
		t.Helper()
		got, err := h.ReadCPUQuota(on(t, path))
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		mustBe(t, err, wantErr)
	}
	check("own is smallest", v2, "/lxc/c1", c1, nil)
	check("not enabled here", v2, "/lxc/c1/off", c1, nil)
	check("root", v2, "/", none, nil)
	check("gone", v2, "/lxc/gone", none, fs.ErrNotExist)
	a.Files["/sys/fs/cgroup/lxc/c1/cpu.max"] = "35000 10000\n" // more CPU, in a shorter period
	check("parent is smallest", v2, "/lxc/c1", parent, nil)
	a.Files["/sys/fs/cgroup/lxc/c1/cpu.max"] = "max 100000\n"
	check("parent only", v2, "/lxc/c1", parent, nil)
	a.Errors["/sys/fs/cgroup/lxc/c1/cpu.max"] = syscall.EACCES
	check("unreadable", v2, "/lxc/c1", parent, nil)
	delete(a.Errors, "/sys/fs/cgroup/lxc/c1/cpu.max")
	for _, bad := range []string{"", "max", "1\n", "1 0\n", "1 2 3\n", "-1 100000\n", "x 1\n", "1 x\n", "1  2\n", "1 2\r\n"} {
		a.Files["/sys/fs/cgroup/lxc/c1/cpu.max"] = bad
		check(bad, v2, "/lxc/c1", none, ErrFormat)
	}

	check("v1", v1, "/lxc/c1", CPUQuota{150000, 100000, Origin{&v1.Hierarchies[0], "/lxc/c1", "cpu.cfs_quota_us"}}, nil)
	check("v1 none", v1, "/lxc", none, nil)
	a1.Files["/sys/fs/cgroup/cpu,cpuacct/lxc/c1/cpu.cfs_period_us"] = "0\n"
	check("v1 no period", v1, "/lxc/c1", none, ErrFormat)
	v1.Hierarchies = v1.Hierarchies[1:]
	check("no controller", v1, "/lxc/c1", none, fs.ErrNotExist)
}
