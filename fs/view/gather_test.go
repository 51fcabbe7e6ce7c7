package view_test

import (
	"path"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
	"linuxcontainers.org/lxcfs/test/hosts/machine"
)

const all = view.NeedMemory | view.NeedCPUs | view.NeedCPUTime | view.NeedUptime | view.NeedLoad | view.NeedIO | view.NeedTasks

// The view of every captured container, all the way from its init.
func TestGatherCaptured(t *testing.T) {
	for _, c := range hosts.Containers() {
		t.Run(path.Join(c.Host, c.Name), func(t *testing.T) {
			m := machine.New(t, hosts.Load(t, c.Host))
			who := m.Container(t, c.PID)
			for _, e := range c.Membership(t, m.FS) {
				if got, ok := who.Membership.Path(firstOf(e)); !ok || got != e.Path {
					t.Errorf("cgroup %q of %v, want %q", got, e.Controllers, e.Path)
				}
			}
			var v view.View
			if err := m.Gatherer.Gather(&v, who, all, m.Options); err != nil {
				t.Fatal(err)
			}
			if v.CPUs.Empty() || v.CPUs.AndNot(v.Online).Count() > 0 {
				t.Errorf("CPUs %v of %v", v.CPUs, v.Online)
			}
			if len(v.CPUTicks) != v.CPUs.Count() {
				t.Errorf("ticks of %d CPUs, want %d", len(v.CPUTicks), v.CPUs.Count())
			}
			if (v.Memory.Limit != cgroup.Max) != c.Limited {
				t.Errorf("limit %d, want one: %v", v.Memory.Limit, c.Limited)
			}
			if v.Uptime <= 0 || v.Uptime > m.Now {
				t.Errorf("up %v on a machine up %v", v.Uptime, m.Now)
			}
			if v.Threads < 1 || v.LastPID < 1 {
				t.Errorf("%d threads, last pid %d", v.Threads, v.LastPID)
			}
		})
	}
}

func firstOf(e cgroup.Entry) string {
	if len(e.Controllers) > 0 {
		return e.Controllers[0]
	}
	return ""
}
