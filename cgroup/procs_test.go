package cgroup

import (
	"io/fs"
	"slices"
	"syscall"
	"testing"
)

func TestWalkProcs(t *testing.T) {
	h, a := captured(t, "v2")
	m := on(t, "/lxc/c1")
	walk := func(limit int) (pids []uint32, err error) {
		_, err = h.WalkProcs(m, limit, func(pid uint32) bool {
			pids = append(pids, pid)
			return true
		})
		slices.Sort(pids)
		return pids, err
	}
	check := func(name string, limit int, wantErr error, want ...uint32) {
		t.Helper()
		got, err := walk(limit)
		if wantErr == nil && !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		mustBe(t, err, wantErr)
	}
	check("subtree", 100, nil, 10, 11, 12, 13, 14)
	check("just enough", 5, nil, 10, 11, 12, 13, 14)
	check("too many", 4, ErrLimit)
	check("too many processes in one", 1, ErrLimit)

	a.Files["/sys/fs/cgroup/lxc/c1/cgroup.procs"] = "10\n"
	check("five cgroups, four processes", 4, ErrLimit)
	a.Files["/sys/fs/cgroup/lxc/c1/cgroup.procs"] = "10\n11\n15\n"
	check("five cgroups, six processes", 5, ErrLimit)
	a.Files["/sys/fs/cgroup/lxc/c1/cgroup.procs"] = "10\n11\n"

	const dir = "/sys/fs/cgroup/lxc/c1"
	a.Errors[dir+"/a b/cgroup.procs"] = syscall.EOPNOTSUPP
	check("threaded", 100, nil, 10, 11, 13, 14)
	a.Errors[dir+"/a b/cgroup.procs"] = syscall.ENODEV
	check("vanishes", 100, nil, 10, 11, 14)
	a.Errors[dir+"/a b/cgroup.procs"] = syscall.EACCES
	check("unreadable", 100, nil, 10, 11, 14)
	a.Errors[dir+"/a b/cgroup.procs"] = syscall.EIO
	check("broken", 100, syscall.EIO)
	delete(a.Errors, dir+"/a b/cgroup.procs")
	for _, bad := range []string{"x\n", "-1\n", "1", "2147483648\n", "\n"} {
		a.Files[dir+"/a b/cgroup.procs"] = bad
		check(bad, 100, ErrFormat)
	}
	a.Errors[dir+"/cgroup.procs"] = syscall.EACCES
	check("itself unreadable", 100, fs.ErrPermission)
	m = on(t, "/gone")
	check("gone", 100, fs.ErrNotExist)
	_, err := new(Host).WalkProcs(m, 1, nil)
	mustBe(t, err, fs.ErrNotExist)
}

func TestWalkProcsStops(t *testing.T) {
	h, _ := captured(t, "v2")
	n := 0
	cgroups, err := h.WalkProcs(on(t, "/lxc/c1"), 100, func(uint32) bool { n++; return n < 3 })
	if err != nil || n != 3 || cgroups < 1 || cgroups > 3 {
		t.Errorf("got %d calls, %d cgroups, %v, want 3", n, cgroups, err)
	}
}

func FuzzParseProcs(f *testing.F) {
	f.Add([]byte("1\n0\n22\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := walk{procs: 10, f: func(pid uint32) bool {
			if pid == 0 || pid > 1<<31 {
				t.Errorf("got pid %d", pid)
			}
			return true
		}}
		_ = w.parseProcs(b)
	})
}
