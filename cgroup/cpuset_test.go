package cgroup

import (
	"io/fs"
	"syscall"
	"testing"
)

func TestReadCPUSet(t *testing.T) {
	v2, a := captured(t, "v2")
	v1, a1 := captured(t, "v1")
	check := func(name string, h *Host, path, want string, wantErr error) {
		t.Helper()
		got, _, err := h.ReadCPUSet(on(t, path))
		if got.String() != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		mustBe(t, err, wantErr)
	}
	check("empty in the child", v2, "/lxc/c1", "2-5", nil)
	check("not enabled", v2, "/lxc/c1/off", "2-5", nil)
	check("root", v2, "/", "0-7", nil)
	check("gone", v2, "/lxc/gone", "", fs.ErrNotExist)
	a.Files["/sys/fs/cgroup/lxc/c1/cpuset.cpus.effective"] = "3\n"
	check("own", v2, "/lxc/c1", "3", nil)
	a.Errors["/sys/fs/cgroup/lxc/c1/cpuset.cpus.effective"] = syscall.EACCES
	check("unreadable", v2, "/lxc/c1", "2-5", nil)
	a.Files["/sys/fs/cgroup/lxc/cpuset.cpus.effective"] = "5-2\n"
	check("garbage", v2, "/lxc/c1", "", ErrFormat)

	check("v1 empty in the child", v1, "/lxc/c1", "0-3", nil)
	check("v1 before 3.17", v1, "/lxc/old", "1,3", nil)
	delete(a1.Files, "/sys/fs/cgroup/cpuset/cpuset.effective_cpus")
	check("v1 all empty", v1, "/lxc/c1", "", fs.ErrNotExist)
	v1.Hierarchies = v1.Hierarchies[:1]
	check("no controller", v1, "/lxc/c1", "", fs.ErrNotExist)
}

func TestReadMemoryNodes(t *testing.T) {
	v2, a := captured(t, "v2")
	a.Files["/sys/fs/cgroup/lxc/cpuset.mems.effective"] = "0-1\n"
	got, err := v2.ReadMemoryNodes(on(t, "/lxc/c1"))
	if err != nil || got.String() != "0-1" {
		t.Errorf("got %v, %v, want 0-1", got, err)
	}
	v1, a1 := captured(t, "v1")
	a1.Files["/sys/fs/cgroup/cpuset/lxc/cpuset.mems"] = "1\n"
	if got, err := v1.ReadMemoryNodes(on(t, "/lxc/c1")); err != nil || got.String() != "1" {
		t.Errorf("v1: got %v, %v, want 1", got, err)
	}
}
