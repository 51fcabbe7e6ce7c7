package cgroup

import (
	"io/fs"
	"slices"
	"testing"
)

func TestReadIO(t *testing.T) {
	v2, a2 := captured(t, "v2")
	v1, a1 := captured(t, "v1")
	buf := make([]IOStat, 9, 20)
	check := func(name string, h *Host, path string, want []IOStat, wantErr error) {
		t.Helper()
		got, _, err := h.ReadIO(on(t, path), buf)
		if wantErr == nil && !slices.Equal(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		mustBe(t, err, wantErr)
	}
	own := []IOStat{
		{Major: 8, Rbytes: 7, Wbytes: 8, Rios: 9, Wios: 10, Dbytes: 11, Dios: 12},
		{Major: 8, Minor: 16, Rbytes: 1, Wbytes: 2, Rios: 3, Wios: 4, Dbytes: 5, Dios: 6},
	}
	check("sorted", v2, "/lxc/c1", own, nil)
	check("not enabled here", v2, "/lxc/c1/off", own, nil)
	check("not enabled, and never the host's", v2, "/lxc", nil, fs.ErrNotExist)
	check("gone", v2, "/lxc/c1/gone", nil, fs.ErrNotExist)
	for _, tt := range []struct {
		name, in string
		want     []IOStat
	}{
		{"empty", "", []IOStat{}},
		{"Linux 5.16", "7:7 7:6 8:0 rbytes=3 wbytes=0\n7:5 \n", []IOStat{{Major: 8, Rbytes: 3}}},
		{"no numbers", "7:7\n", []IOStat{}},
		{"unknown keys", "8:0 rbytes=3 cost.vrate=100.00 x=\n", []IOStat{{Major: 8, Rbytes: 3}}},
		{"device being removed", "(unknown) rbytes=3\n", []IOStat{}},
		{"same device twice", "8:0 rbytes=3\n8:0 wbytes=4\n", []IOStat{{Major: 8, Rbytes: 3, Wbytes: 4}}},
	} {
		a2.Files["/sys/fs/cgroup/lxc/c1/io.stat"] = tt.in
		check(tt.name, v2, "/lxc/c1", tt.want, nil)
	}
	for _, bad := range []string{"\n", "rbytes=1\n", "8:0 rbytes=x\n", "8:0 rbytes=\n", "8:0 rbytes=1", "8:0 junk\n",
		"4096:0 rbytes=1\n", "8:1048576 rbytes=1\n", "8 rbytes=1\n", "8:0 rbytes=-1\n", "8:0 rbytes=1\r\n"} {
		a2.Files["/sys/fs/cgroup/lxc/c1/io.stat"] = bad
		check(bad, v2, "/lxc/c1", nil, ErrFormat)
	}

	check("v1", v1, "/lxc/c1", []IOStat{
		{Major: 8, Rbytes: 10, ReadNsec: 120},
		{Major: 8, Minor: 16, Rbytes: 1, Wbytes: 2, Dbytes: 4, Rios: 5, Wios: 6},
	}, nil)
	check("v1 gone", v1, "/lxc/gone", nil, fs.ErrNotExist)
	for _, bad := range []string{"8:0 Read x\n", "8:0 Read\n", "8:0\n", "x Read 1\n", "Total\n", "Total 1", "\n"} {
		a1.Files["/sys/fs/cgroup/blkio/lxc/c1/blkio.throttle.io_service_bytes_recursive"] = bad
		check("v1 "+bad, v1, "/lxc/c1", nil, ErrFormat)
	}
	a1.Files["/sys/fs/cgroup/blkio/lxc/c1/blkio.throttle.io_service_bytes_recursive"] = "(unknown) Read 1\n"
	check("v1 device being removed", v1, "/lxc/c1", []IOStat{
		{Major: 8, ReadNsec: 120}, {Major: 8, Minor: 16, Rios: 5, Wios: 6}}, nil)
}

func FuzzParseIO(f *testing.F) {
	_, v1 := captured(f, "v1")
	_, v2 := captured(f, "v2")
	f.Add([]byte(v1.Files["/sys/fs/cgroup/blkio/lxc/c1/blkio.throttle.io_service_bytes_recursive"]))
	f.Add([]byte(v2.Files["/sys/fs/cgroup/lxc/c1/io.stat"]))
	f.Add([]byte("7:7 7:6 8:0 rbytes=3 wbytes=0\n(unknown) rbytes=1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var t1, t2 ioTable
		_ = parseIOStat(b, &t1)
		_, _ = parseBlkio(b, &t2, addTime)
		for _, s := range [][]IOStat{t1.stats, t2.stats} {
			seen := make(map[[2]uint32]bool)
			for _, d := range s {
				if k := [2]uint32{d.Major, d.Minor}; seen[k] {
					t.Errorf("device %v twice", k)
				} else {
					seen[k] = true
				}
			}
		}
	})
}
