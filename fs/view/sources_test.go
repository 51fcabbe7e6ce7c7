package view_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
	"linuxcontainers.org/lxcfs/fs/view"
)

// small loads a machine of package cgroup's tests, and a container of it.
func small(t *testing.T, name string) (*cgroup.Host, *hosttest.Archive, *container.Container) {
	t.Helper()
	b, err := os.ReadFile("../../cgroup/testdata/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	a, err := hosttest.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	h, err := cgroup.Detect(a)
	if err != nil {
		t.Fatal(err)
	}
	m, err := cgroup.ParseMembership([]byte(strings.ReplaceAll(
		"7:cpu,cpuacct:P\n6:pids:P\n5:blkio:P\n4:memory:P\n3:cpuset:P\n1:name=systemd:P\n0::P\n", "P", "/lxc/c1")))
	if err != nil {
		t.Fatal(err)
	}
	return h, a, &container.Container{Membership: m, Kind: container.System}
}

// sourcesOf lists all sources, one a line.
func sourcesOf(t *testing.T, h *cgroup.Host, c *container.Container) string {
	t.Helper()
	list, err := view.Sources(h, c, view.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%s|%s|%s|%s\n", s.Name, s.Value, s.From.Cgroup(), s.From.File())
	}
	return b.String()
}

// The limits are the ancestor's that binds, and every file named is there.
func TestSources(t *testing.T) {
	for _, tt := range []struct {
		host string
		want []string
	}{
		{"v2", []string{
			"memory usage|500000|/lxc/c1|/sys/fs/cgroup/lxc/c1/memory.current",
			"memory statistics||/lxc/c1|/sys/fs/cgroup/lxc/c1/memory.stat",
			"memory limit|1000000|/lxc|/sys/fs/cgroup/lxc/memory.max",
			"swap usage|1024|/lxc/c1|/sys/fs/cgroup/lxc/c1/memory.swap.current",
			"swap limit|4096|/lxc|/sys/fs/cgroup/lxc/memory.swap.max",
			"CPUs counted by|set (kind system)||",
			"CPU set|2-5|/lxc|/sys/fs/cgroup/lxc/cpuset.cpus.effective",
			"CPU quota|250000 of 100000 us|/lxc/c1|/sys/fs/cgroup/lxc/c1/cpu.max",
			"CPU time||/lxc/c1|/sys/fs/cgroup/lxc/c1/cpu.stat",
			"I/O||/lxc/c1|/sys/fs/cgroup/lxc/c1/io.stat",
			"processes|with all below|/lxc/c1|/sys/fs/cgroup/lxc/c1/cgroup.procs",
			"device policy|not known||",
			"cpu pressure||/lxc/c1|/sys/fs/cgroup/lxc/c1/cpu.pressure",
			"irq pressure|the host's||",
		}},
		{"v1", []string{
			"memory usage|4000000|/lxc/c1|/sys/fs/cgroup/memory/lxc/c1/memory.usage_in_bytes",
			"memory limit|8000000|/lxc|/sys/fs/cgroup/memory/lxc/memory.limit_in_bytes",
			"swap usage|4096|/lxc/c1|/sys/fs/cgroup/memory/lxc/c1/memory.memsw.usage_in_bytes",
			"limit of memory and swap|9000000|/lxc/c1|/sys/fs/cgroup/memory/lxc/c1/memory.memsw.limit_in_bytes",
			"CPU quota|150000 of 100000 us|/lxc/c1|/sys/fs/cgroup/cpu,cpuacct/lxc/c1/cpu.cfs_quota_us",
			"CPU time||/lxc/c1|/sys/fs/cgroup/cpu,cpuacct/lxc/c1/cpuacct.usage_all",
			"cpu pressure||/lxc/c1|/sys/fs/cgroup/unified/lxc/c1/cpu.pressure",
		}},
	} {
		t.Run(tt.host, func(t *testing.T) {
			h, a, c := small(t, tt.host)
			got := sourcesOf(t, h, c)
			for _, line := range tt.want {
				if !strings.Contains(got, line+"\n") {
					t.Errorf("no line %q in\n%s", line, got)
				}
			}
			for line := range strings.Lines(got) {
				f := strings.Split(strings.TrimSpace(line), "|")
				if _, ok := a.Files[f[3]]; f[3] != "" && !ok && f[0] != "processes" {
					t.Errorf("%s is not there", f[3])
				}
			}
		})
	}
}

// No limit is said, and so is that swap is not accounted.
func TestSourcesUnlimited(t *testing.T) {
	h, a, c := small(t, "v2")
	a.Files["/sys/fs/cgroup/lxc/memory.max"] = "max\n"
	a.Files["/sys/fs/cgroup/lxc/cpu.max"], a.Files["/sys/fs/cgroup/lxc/c1/cpu.max"] = "max 100000\n", "max 100000\n"
	delete(a.Files, "/sys/fs/cgroup/lxc/c1/memory.swap.current")
	got := sourcesOf(t, h, c)
	for _, line := range []string{"memory limit|no limit||", "CPU quota|no limit||", "swap|not accounted||"} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
}

// Where there is no controller it is said; CPU time needs none.
func TestSourcesWithoutController(t *testing.T) {
	h, _, c := small(t, "v2")
	for i := range h.Hierarchies {
		h.Hierarchies[i].Controllers = []string{"pids"}
	}
	got := sourcesOf(t, h, c)
	for _, name := range []string{"memory", "CPU set", "CPU quota", "I/O"} {
		if !strings.Contains(got, name+"|no controller||\n") {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
	if want := "CPU time||/lxc/c1|/sys/fs/cgroup/lxc/c1/cpu.stat\n"; !strings.Contains(got, want) {
		t.Errorf("no line %q in\n%s", want, got)
	}
}

// Whose device policy it is.
func TestSourcesOfDevices(t *testing.T) {
	const scope, file = "/system.slice/docker-1.scope", "/run/systemd/transient/docker-1.scope"
	for path, want := range map[string]string{
		"/lxc.payload.c1":            "device policy|not known||",
		"/system.slice/none.service": "device policy|not known||",
		scope:                        "device policy||" + scope + "|" + file,
		scope + "/x":                 "device policy|not known, within that of the unit|" + scope + "|" + file,
	} {
		h, a, c := small(t, "v2")
		a.Files[file] = "DevicePolicy=strict\n"
		for i := range c.Membership {
			c.Membership[i].Path = path
		}
		if got := sourcesOf(t, h, c); !strings.Contains(got, want+"\n") {
			t.Errorf("%s: no line %q in\n%s", path, want, got)
		}
	}
}
