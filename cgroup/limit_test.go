package cgroup

import (
	"syscall"
	"testing"
)

// Whose limit it is: the nearest that has it, one out of sight, nobody.
func TestLimitFrom(t *testing.T) {
	const stat, max = "/sys/fs/cgroup/memory/lxc/c1/memory.stat", "/sys/fs/cgroup/lxc/c1/memory.max"
	for _, tt := range []struct {
		host, file, content string
		of                  func(*Memory) Limit
		value               uint64
		cgroup, from        string
	}{
		{"v1", stat, "", memoryLimit, 8000000, "/lxc", "/sys/fs/cgroup/memory/lxc/memory.limit_in_bytes"},
		{"v1", stat, "hierarchical_memory_limit 8000000\n", memoryLimit, 8000000, "/lxc", "/sys/fs/cgroup/memory/lxc/memory.limit_in_bytes"},
		{"v1", stat, "hierarchical_memory_limit 7000000\nhierarchical_memsw_limit 9000000\n", memoryLimit, 7000000, "(hidden)", ""},
		{"v1", stat, "hierarchical_memory_limit 8000000\nhierarchical_memsw_limit 8500000\n", memswLimit, 8500000, "(hidden)", ""},
		{"v1", stat, "hierarchical_memory_limit 9223372036854771712\n", memoryLimit, Max, "", ""},
		{"v2", max, "900000\n", memoryLimit, 900000, "/lxc/c1", max},
		{"v2", "/sys/fs/cgroup/lxc/memory.max", "max\n", memoryLimit, Max, "", ""},
	} {
		h, a := captured(t, tt.host)
		a.Files[tt.file] = tt.content
		l, from := limitOf(t, h, "/lxc/c1", tt.of)
		if l.Value != tt.value || from.Cgroup() != tt.cgroup || from.File() != tt.from {
			t.Errorf("%s %q: got %d of %q in %q, want %d of %q in %q", tt.file, tt.content, l.Value, from.Cgroup(), from.File(), tt.value, tt.cgroup, tt.from)
		}
	}
	h, a := captured(t, "v1")
	a.Errors["/sys/fs/cgroup/memory/lxc/memory.limit_in_bytes"] = syscall.EACCES
	if l, from := limitOf(t, h, "/lxc/c1", memoryLimit); l.Value != 8000000 || from.Cgroup() != "(hidden)" || from.File() != "" {
		t.Errorf("unreadable: got %d of %+v", l.Value, from)
	}
	h, _ = captured(t, "v2")
	h.Hierarchies = []Hierarchy{{Version: 2, MountPoint: "/sys/fs/cgroup/lxc", Root: "/", nested: true}}
	if _, from := limitOf(t, h, "/c1", memoryLimit); from.Cgroup() != "/" || from.File() != "/sys/fs/cgroup/lxc/memory.max" {
		t.Errorf("cgroup namespace: got %+v", from)
	}
	h.Hierarchies = []Hierarchy{{Version: 2, MountPoint: "/sys/fs/cgroup/lxc", Root: "/lxc"}}
	if _, from := limitOf(t, h, "/lxc/c1", memoryLimit); from.Cgroup() != "/lxc" {
		t.Errorf("bind mount: got %+v", from)
	}
}

func memoryLimit(m *Memory) Limit { return m.Limit }
func memswLimit(m *Memory) Limit  { return m.MemswLimit }

func limitOf(t *testing.T, h *Host, path string, of func(*Memory) Limit) (Limit, Origin) {
	t.Helper()
	var m Memory
	if err := h.ReadMemory(on(t, path), &m); err != nil {
		t.Fatal(err)
	}
	from, err := of(&m).From(h)
	if err != nil {
		t.Fatal(err)
	}
	return of(&m), from
}

// What is read says from which file it is, also where that is not the first choice.
func TestOrigins(t *testing.T) {
	v1, a1 := captured(t, "v1")
	v2, a2 := captured(t, "v2")
	const cpuacct, blkio = "/sys/fs/cgroup/cpu,cpuacct/lxc/c1/", "/sys/fs/cgroup/blkio/lxc/c1/"
	usage := func(h *Host, path string) (Origin, error) {
		var u CPUUsage
		err := h.ReadCPUUsage(on(t, path), &u)
		return u.From, err
	}
	set := func(h *Host, path string) (Origin, error) {
		_, from, err := h.ReadCPUSet(on(t, path))
		return from, err
	}
	io := func(h *Host, path string) (Origin, error) {
		_, from, err := h.ReadIO(on(t, path), nil)
		return from, err
	}
	check := func(name string, h *Host, path string, read func(*Host, string) (Origin, error), cgroup, file string) {
		t.Helper()
		from, err := read(h, path)
		if err != nil || from.Cgroup() != cgroup || from.File() != file {
			t.Errorf("%s: got %q in %q, %v, want %q in %q", name, from.Cgroup(), from.File(), err, cgroup, file)
		}
	}
	check("usage", v1, "/lxc/c1", usage, "/lxc/c1", cpuacct+"cpuacct.usage_all")
	delete(a1.Files, cpuacct+"cpuacct.usage_all")
	a1.Files[cpuacct+"cpuacct.stat"], a1.Files[cpuacct+"cpuacct.usage_percpu"] = "user 1\nsystem 1\n", "5 6 \n"
	check("usage before Linux 4.8", v1, "/lxc/c1", usage, "/lxc/c1", cpuacct+"cpuacct.usage_percpu")
	check("set before Linux 3.17", v1, "/lxc/old", set, "/lxc/old", "/sys/fs/cgroup/cpuset/lxc/old/cpuset.cpus")
	check("empty set", v2, "/lxc/c1", set, "/lxc", "/sys/fs/cgroup/lxc/cpuset.cpus.effective")
	check("I/O", v2, "/lxc/c1", io, "/lxc/c1", "/sys/fs/cgroup/lxc/c1/io.stat")
	check("I/O not enabled", v2, "/lxc/c1/off", io, "/lxc/c1", "/sys/fs/cgroup/lxc/c1/io.stat")
	a2.Files["/sys/fs/cgroup/cgroup.controllers"] = "pids\n"
	v2.Hierarchies[0].Controllers = []string{"pids"}
	check("usage without a controller", v2, "/lxc/c1", usage, "/lxc/c1", "/sys/fs/cgroup/lxc/c1/cpu.stat")
	check("v1 I/O", v1, "/lxc/c1", io, "/lxc/c1", blkio+"blkio.throttle.io_service_bytes_recursive")
	a1.Files[blkio+"blkio.throttle.io_service_bytes_recursive"] = "Total 0\n"
	check("v1 I/O of BFQ", v1, "/lxc/c1", io, "/lxc/c1", blkio+"blkio.bfq.io_serviced_recursive")
}
