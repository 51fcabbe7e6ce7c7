package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// machine returns the running machine and this process's cgroups.
func machine(t testing.TB) (*Host, Membership) {
	t.Helper()
	h, err := Detect(hostfile.OS{})
	if err != nil {
		t.Skip("needs mounted cgroups; have:", err)
	}
	b, err := hostfile.OS{}.Append(nil, "/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	return h, membership(t, string(b))
}

// available fails the test on an error other than that the machine does not
// have or show it, and skips it on those.
func available(t testing.TB, h *Host, err error) {
	t.Helper()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		t.Skipf("not on this machine (%s): %v", h.Reason, err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestMachine(t *testing.T) {
	h, m := machine(t)
	t.Logf("%v: %s", h.Layout, h.Reason)
	t.Run("memory", func(t *testing.T) {
		var got Memory
		available(t, h, h.ReadMemory(m, &got))
		if got.Usage == 0 || !got.Stat.Has("anon") || !got.Stat.Has("active_file") {
			t.Errorf("got %+v", got)
		}
		from, err := got.Limit.From(h)
		if err != nil || (from.Cgroup() == "") != (got.Limit.Value == Max) {
			t.Errorf("limit %d, %+v, %v", got.Limit.Value, from, err)
		}
	})
	t.Run("cpuset", func(t *testing.T) {
		got, _, err := h.ReadCPUSet(m)
		available(t, h, err)
		if got.Empty() {
			t.Errorf("got %v", got)
		}
	})
	t.Run("quota", func(t *testing.T) {
		got, err := h.ReadCPUQuota(m)
		available(t, h, err)
		if got.Ceil() < 1 || (got.From == Origin{}) != (got.QuotaUsec == Max) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("usage", func(t *testing.T) {
		var got, later CPUUsage
		available(t, h, h.ReadCPUUsage(m, &got))
		available(t, h, h.ReadCPUUsage(m, &later))
		if got.UsageUsec == 0 || later.UsageUsec < got.UsageUsec {
			t.Errorf("got %+v, then %+v", got, later)
		}
	})
	t.Run("io", func(t *testing.T) {
		_, _, err := h.ReadIO(m, nil)
		available(t, h, err)
	})
	t.Run("pids", func(t *testing.T) {
		current, limit, err := h.ReadPids(m)
		available(t, h, err)
		if current == 0 || current > limit.Value {
			t.Errorf("got %d of %d", current, limit.Value)
		}
	})
	t.Run("pressure", func(t *testing.T) {
		b, _, err := h.ReadPressure(nil, m, "memory")
		if errors.Is(err, syscall.EOPNOTSUPP) {
			t.Skip("cgroup.pressure is 0:", err)
		}
		available(t, h, err)
		if p, err := ParsePressure(b); err != nil || !p.HasSome {
			t.Errorf("got %+v, %v", p, err)
		}
	})
	t.Run("procs", func(t *testing.T) {
		found := false
		_, err := h.WalkProcs(m, 1<<16, func(pid uint32) bool {
			found = int(pid) == os.Getpid()
			return !found
		})
		available(t, h, err)
		if !found {
			t.Error("this process is not in its own cgroup")
		}
	})
}

// TestMachineLimits sets limits on v1 cgroups of its own.
func TestMachineLimits(t *testing.T) {
	h, _ := machine(t)
	path := fmt.Sprintf("/lxcfs-test-%d", os.Getpid())
	write := func(t *testing.T, controller string, levels, values []string, file string) Membership {
		t.Helper()
		m := Membership{{Controllers: []string{controller}, Path: path + "/in ner"}}
		top, version, err := h.Dir(Membership{{Controllers: []string{controller}, Path: "/"}}, controller)
		if err != nil || version != 1 {
			t.Skipf("needs a v1 %s controller; have: %s", controller, h.Reason)
		}
		if os.Geteuid() != 0 {
			t.Skip("needs root to make cgroups; have uid", os.Geteuid())
		}
		dir := top + path + "/in ner"
		for _, d := range []string{filepath.Dir(dir), dir} {
			if err := os.Mkdir(d, 0o755); err != nil {
				t.Skip("needs to make cgroups; have:", err)
			}
			t.Cleanup(func() {
				if err := os.Remove(d); err != nil {
					t.Error(err)
				}
			})
		}
		for i, level := range levels {
			if err := os.WriteFile(top+path+level+"/"+file, []byte(values[i]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	levels := []string{"", "/in ner"}
	t.Run("memory", func(t *testing.T) {
		m := write(t, "memory", levels[:1], []string{"134217728"}, "memory.limit_in_bytes")
		var got Memory
		if err := h.ReadMemory(m, &got); err != nil || got.Limit.Value != 128<<20 {
			t.Errorf("got %d, %v", got.Limit.Value, err)
		}
		if from, err := got.Limit.From(h); err != nil || from.Cgroup() != path {
			t.Errorf("got the limit of %+v, %v, want that of %q", from, err, path)
		}
	})
	t.Run("cpuset", func(t *testing.T) {
		m := write(t, "cpuset", levels[:1], []string{"0"}, "cpuset.cpus")
		if got, _, err := h.ReadCPUSet(m); err != nil || got.String() != "0" {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("cpu", func(t *testing.T) {
		m := write(t, "cpu", levels, []string{"150000", "50000"}, "cpu.cfs_quota_us")
		got, err := h.ReadCPUQuota(m)
		if err != nil || got.QuotaUsec != 50000 || got.PeriodUsec != 100000 || got.From.Cgroup() != path+"/in ner" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("pids", func(t *testing.T) {
		m := write(t, "pids", levels, []string{"77", "99"}, "pids.max")
		if current, limit, err := h.ReadPids(m); err != nil || current != 0 || limit.Value != 77 {
			t.Errorf("got %d of %d, %v", current, limit.Value, err)
		}
	})
	t.Run("removed", func(t *testing.T) {
		var got Memory
		err := h.ReadMemory(Membership{{Controllers: []string{"memory"}, Path: path + "/gone"}, {Path: path + "/gone"}}, &got)
		mustBe(t, err, fs.ErrNotExist)
	})
}

func BenchmarkMachine(b *testing.B) {
	h, m := machine(b)
	b.Run("memory", func(b *testing.B) {
		var dst Memory
		available(b, h, h.ReadMemory(m, &dst))
		b.ReportAllocs()
		for b.Loop() {
			_ = h.ReadMemory(m, &dst)
		}
	})
	b.Run("usage", func(b *testing.B) {
		var dst CPUUsage
		available(b, h, h.ReadCPUUsage(m, &dst))
		b.ReportAllocs()
		for b.Loop() {
			_ = h.ReadCPUUsage(m, &dst)
		}
	})
}

// Without the kernel's share: what this package costs.
func BenchmarkCaptured(b *testing.B) {
	for _, name := range []string{"v1", "v2"} {
		h, _ := captured(b, name)
		m := on(b, "/lxc/c1")
		b.Run(name+"/memory", func(b *testing.B) {
			var dst Memory
			b.ReportAllocs()
			for b.Loop() {
				_ = h.ReadMemory(m, &dst)
			}
		})
		b.Run(name+"/usage", func(b *testing.B) {
			var dst CPUUsage
			b.ReportAllocs()
			for b.Loop() {
				_ = h.ReadCPUUsage(m, &dst)
			}
		})
		b.Run(name+"/quota", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = h.ReadCPUQuota(m)
			}
		})
		b.Run(name+"/cpuset", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = h.ReadCPUSet(m)
			}
		})
	}
}
