package cgroup

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// sourcesOf lists all sources, one a line.
func sourcesOf(t *testing.T, h *Host, m Membership) string {
	t.Helper()
	var b strings.Builder
	pressure := func(m Membership) ([]Source, error) {
		s, err := h.PressureSource(m, "cpu")
		if err != nil {
			return nil, err
		}
		none, err := h.PressureSource(m, "irq")
		return []Source{s, none}, err
	}
	for _, read := range []func(Membership) ([]Source, error){h.MemorySources, h.CPUSources, h.UsageSources, pressure} {
		list, err := read(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			fmt.Fprintf(&b, "%s|%s|%s|%s\n", s.Name, s.Value, s.Cgroup, s.File)
		}
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
			"memory limit|1000000|/lxc|/sys/fs/cgroup/lxc/memory.max",
			"swap usage|1024|/lxc/c1|/sys/fs/cgroup/lxc/c1/memory.swap.current",
			"CPU time||/lxc/c1|/sys/fs/cgroup/lxc/c1/cpu.stat",
			"I/O||/lxc/c1|/sys/fs/cgroup/lxc/c1/io.stat",
			"cpu pressure||/lxc/c1|/sys/fs/cgroup/lxc/c1/cpu.pressure",
			"irq pressure|the host's||",
		}},
		{"v1", []string{
			"memory usage|4000000|/lxc/c1|/sys/fs/cgroup/memory/lxc/c1/memory.usage_in_bytes",
			"memory limit|8000000|/lxc|/sys/fs/cgroup/memory/lxc/memory.limit_in_bytes",
			"limit of memory and swap|9000000|/lxc/c1|/sys/fs/cgroup/memory/lxc/c1/memory.memsw.limit_in_bytes",
			"cpu pressure||/lxc/c1|/sys/fs/cgroup/unified/lxc/c1/cpu.pressure",
		}},
	} {
		t.Run(tt.host, func(t *testing.T) {
			h, a := captured(t, tt.host)
			got := sourcesOf(t, h, on(t, "/lxc/c1"))
			for _, line := range tt.want {
				if !strings.Contains(got, line+"\n") {
					t.Errorf("no line %q in\n%s", line, got)
				}
			}
			for line := range strings.Lines(got) {
				f := strings.Split(strings.TrimSpace(line), "|")
				if _, ok := a.Files[f[3]]; f[3] != "" && !ok && strings.Contains(f[0], "memory") {
					t.Errorf("%s is not there", f[3])
				}
			}
		})
	}
}

// Whose limit it is: the nearest that has it, one out of sight, nobody.
func TestMemoryLimitSources(t *testing.T) {
	for _, tt := range []struct{ host, file, content, want string }{
		{"v1", "/sys/fs/cgroup/memory/lxc/c1/memory.stat", "hierarchical_memory_limit 7000000\nhierarchical_memsw_limit 9000000\n", "memory limit|7000000|(hidden)|"},
		{"v1", "/sys/fs/cgroup/memory/lxc/c1/memory.stat", "hierarchical_memory_limit 8000000\nhierarchical_memsw_limit 8500000\n", "limit of memory and swap|8500000|(hidden)|"},
		{"v1", "/sys/fs/cgroup/memory/lxc/c1/memory.stat", "hierarchical_memory_limit 9223372036854771712\n", "memory limit|no limit||"},
		{"v2", "/sys/fs/cgroup/lxc/c1/memory.max", "900000\n", "memory limit|900000|/lxc/c1|/sys/fs/cgroup/lxc/c1/memory.max"},
		{"v2", "/sys/fs/cgroup/lxc/memory.max", "max\n", "memory limit|no limit||"},
	} {
		h, a := captured(t, tt.host)
		a.Files[tt.file] = tt.content
		if got := sourcesOf(t, h, on(t, "/lxc/c1")); !strings.Contains(got, tt.want+"\n") {
			t.Errorf("%s: no line %q in\n%s", tt.file, tt.want, got)
		}
	}
	h, a := captured(t, "v1")
	a.Errors["/sys/fs/cgroup/memory/lxc/memory.limit_in_bytes"] = syscall.EACCES
	if got := sourcesOf(t, h, on(t, "/lxc/c1")); !strings.Contains(got, "memory limit|8000000|(hidden)|\n") {
		t.Errorf("unreadable: got\n%s", got)
	}
	h, _ = captured(t, "v2")
	h.Hierarchies = []Hierarchy{{Version: 2, MountPoint: "/sys/fs/cgroup/lxc", Root: "/", nested: true}}
	list, err := h.MemorySources(on(t, "/c1"))
	if err != nil || list[2].Cgroup != "/" || list[2].File != "/sys/fs/cgroup/lxc/memory.max" {
		t.Errorf("cgroup namespace: got %+v, %v", list, err)
	}
	h.Hierarchies = []Hierarchy{{Version: 2, MountPoint: "/sys/fs/cgroup/lxc", Root: "/lxc"}}
	list, err = h.MemorySources(on(t, "/lxc/c1"))
	if err != nil || list[2].Cgroup != "/lxc" {
		t.Errorf("bind mount: got %+v, %v", list, err)
	}
}

// Where there is no controller it is said.
func TestSourcesWithoutController(t *testing.T) {
	h, _ := captured(t, "v2")
	for i := range h.Hierarchies {
		h.Hierarchies[i].Controllers = []string{"pids"}
	}
	got := sourcesOf(t, h, on(t, "/lxc/c1"))
	for _, name := range []string{"memory", "CPU set", "CPU quota", "CPU time", "I/O"} {
		if !strings.Contains(got, name+"|no controller||\n") {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
}
