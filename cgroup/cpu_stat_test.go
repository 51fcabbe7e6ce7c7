package cgroup

import (
	"io/fs"
	"reflect"
	"testing"
)

func TestReadCPUUsage(t *testing.T) {
	v2, a2 := captured(t, "v2")
	v1, a1 := captured(t, "v1")
	tests := []struct {
		name, path string
		host       *Host
		want       CPUUsage
	}{
		{"v2", "/lxc/c1", v2, CPUUsage{Version: 2, UsageUsec: 3000, UserUsec: 2000, SystemUsec: 1000, NiceUsec: 10,
			NrPeriods: 12, NrThrottled: 3, ThrottledUsec: 45000}},
		{"v2 without controller", "/lxc/c1/off", v2, CPUUsage{Version: 2, UsageUsec: 5}},
		{"v2 root", "/", v2, CPUUsage{Version: 2, UsageUsec: 1}},
		{"v1 with a gap", "/lxc/c1", v1, CPUUsage{Version: 1, UsageUsec: 10000, UserUsec: 4000, SystemUsec: 6000,
			NrPeriods: 5, NrThrottled: 2, ThrottledUsec: 7,
			PerCPU: []CPUTime{{1000000, 2000000}, {}, {3000000, 4000000}}}},
		{"v1 before 4.8", "/lxc/old", v1, CPUUsage{Version: 1, UsageUsec: 12, UserUsec: 9, SystemUsec: 3,
			PerCPU: []CPUTime{{3000, 1000}, {6000, 2000}}}},
	}
	got := CPUUsage{NiceUsec: 99, PerCPU: make([]CPUTime, 50)}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.host.ReadCPUUsage(on(t, tt.path), &got)
			got.From = Origin{} // see TestOrigins
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
	mustBe(t, v2.ReadCPUUsage(on(t, "/gone"), &got), fs.ErrNotExist)
	mustBe(t, v1.ReadCPUUsage(on(t, "/gone"), &got), fs.ErrNotExist)
	for _, bad := range []string{"", "user_usec 1\n", "usage_usec\n", "usage_usec -1\n", "usage_usec 1", "usage_usec 1 2\n", "usage_usec 18446744073709551616\n"} {
		a2.Files["/sys/fs/cgroup/lxc/c1/cpu.stat"] = bad
		mustBe(t, v2.ReadCPUUsage(on(t, "/lxc/c1"), &got), ErrFormat)
	}
	const head = "cpu user system\n"
	for _, bad := range []string{"", "cpu user system", head + "0 1\n", head + "0 1 2", head + "x 1 2\n", head + "0 1 2 3\n",
		head + "9999 1 2\n", head + "1 1 2\n0 1 2\n", head + "0 1 2\n0 1 2\n", "0 1 2\n"} {
		a1.Files["/sys/fs/cgroup/cpu,cpuacct/lxc/c1/cpuacct.usage_all"] = bad
		mustBe(t, v1.ReadCPUUsage(on(t, "/lxc/c1"), &got), ErrFormat)
	}
	for _, bad := range []string{"", "1 x\n", "1  2 \n", "1 2"} {
		a1.Files["/sys/fs/cgroup/cpu,cpuacct/lxc/old/cpuacct.usage_percpu"] = bad
		mustBe(t, v1.ReadCPUUsage(on(t, "/lxc/old"), &got), ErrFormat)
	}
}

func TestShare(t *testing.T) {
	tests := []struct{ v, part, other, want uint64 }{
		{100, 1, 3, 25}, {100, 0, 0, 100}, {100, 0, 5, 0}, {100, 5, 0, 100},
		{Max, 1, 1, Max / 2}, {Max, Max, 0, Max}, {7, Max, 1, 7},
	}
	for _, tt := range tests {
		if got := share(tt.v, tt.part, tt.other); got != tt.want {
			t.Errorf("share(%d, %d, %d): got %d, want %d", tt.v, tt.part, tt.other, got, tt.want)
		}
	}
}

func FuzzParseCPUUsage(f *testing.F) {
	_, v1 := captured(f, "v1")
	_, v2 := captured(f, "v2")
	f.Add([]byte(v1.Files["/sys/fs/cgroup/cpu,cpuacct/lxc/c1/cpuacct.usage_all"]), uint64(1), uint64(3))
	f.Add([]byte(v1.Files["/sys/fs/cgroup/cpu,cpuacct/lxc/old/cpuacct.usage_percpu"]), uint64(3), uint64(1))
	f.Add([]byte(v1.Files["/sys/fs/cgroup/cpu,cpuacct/lxc/old/cpuacct.stat"]), uint64(0), uint64(0))
	f.Add([]byte(v2.Files["/sys/fs/cgroup/lxc/c1/cpu.stat"]), uint64(Max), uint64(Max))
	f.Fuzz(func(t *testing.T, b []byte, user, system uint64) {
		_ = parseCPUStat(b, &CPUUsage{Version: 2})
		_, _, _ = parseCPUAcctStat(b)
		all, _ := parseUsageAll(b, nil)
		per, _ := parseUsagePerCPU(b, user, system, nil)
		if len(all) > MaxCPUs || len(per) > MaxCPUs {
			t.Errorf("got %d and %d CPUs", len(all), len(per))
		}
	})
}
