package cgroup

import (
	"io/fs"
	"testing"
)

func TestReadPids(t *testing.T) {
	h, a := captured(t, "v2")
	check := func(name, path string, current, limit uint64, wantErr error) {
		t.Helper()
		c, l, err := h.ReadPids(on(t, path))
		if c != current || l.Value != limit {
			t.Errorf("%s: got %d of %d, want %d of %d", name, c, l.Value, current, limit)
		}
		mustBe(t, err, wantErr)
	}
	check("limit of the parent", "/lxc/c1", 7, 100, nil)
	check("not enabled", "/lxc/c1/off", 7, 100, nil)
	check("root", "/", 0, Max, fs.ErrNotExist)
	check("gone", "/gone", 0, Max, fs.ErrNotExist)
	a.Files["/sys/fs/cgroup/lxc/c1/pids.max"] = "9\n"
	check("own limit", "/lxc/c1", 7, 9, nil)
	a.Files["/sys/fs/cgroup/lxc/c1/pids.current"] = "max\n"
	check("garbage", "/lxc/c1", 0, Max, ErrFormat)
	h.Hierarchies[0].Controllers = []string{}
	check("no controller", "/lxc/c1", 0, Max, fs.ErrNotExist)
}
