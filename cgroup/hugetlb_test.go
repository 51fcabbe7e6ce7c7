package cgroup

import (
	"errors"
	"io/fs"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

func TestReadHugetlb(t *testing.T) {
	const v1 = "30 23 0:26 / /sys/fs/cgroup/hugetlb rw - cgroup cgroup rw,hugetlb\n"
	const v2 = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	for _, test := range []struct {
		name         string
		files        map[string]string
		usage, limit uint64
		err          error
	}{
		{"v2, the parent's limit", map[string]string{
			mountinfo:                                 v2,
			"/sys/fs/cgroup/a/hugetlb.2MB.max":        "4194304\n",
			"/sys/fs/cgroup/a/b/hugetlb.2MB.max":      "max\n",
			"/sys/fs/cgroup/a/b/hugetlb.2MB.current":  "2097152\n",
			"/sys/fs/cgroup/a/hugetlb.2MB.current":    "9\n",
			"/sys/fs/cgroup/a/b/hugetlb.1GB.current":  "8\n",
			"/sys/fs/cgroup/a/b/cgroup.subtree_state": "",
		}, 2097152, 4194304, nil},
		{"v1, no limit", map[string]string{
			mountinfo:                              v1,
			"/sys/fs/cgroup/hugetlb/release_agent": "",
			"/sys/fs/cgroup/hugetlb/a/b/hugetlb.2MB.usage_in_bytes": "0\n",
			"/sys/fs/cgroup/hugetlb/a/b/hugetlb.2MB.limit_in_bytes": "9223372036854771712\n",
		}, 0, Max, nil},
		{"not enabled", map[string]string{mountinfo: v2, "/sys/fs/cgroup/a/b/cgroup.procs": ""}, 0, Max, fs.ErrNotExist},
		{"garbage", map[string]string{mountinfo: v2, "/sys/fs/cgroup/a/b/hugetlb.2MB.current": "x\n"}, 0, Max, ErrFormat},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, err := Detect(&hosttest.Archive{Files: test.files})
			if err != nil {
				t.Fatal(err)
			}
			m := Membership{{Path: "/a/b"}, {Controllers: []string{"hugetlb"}, Path: "/a/b"}}
			usage, limit, err := h.ReadHugetlb(m, "2MB")
			if usage != test.usage || limit.Value != test.limit || !errors.Is(err, test.err) {
				t.Errorf("got %d of %d, %v; want %d of %d, %v", usage, limit.Value, err, test.usage, test.limit, test.err)
			}
		})
	}
}

func TestHugePageName(t *testing.T) {
	for size, want := range map[uint64]string{64 << 10: "64KB", 2 << 20: "2MB", 16 << 20: "16MB", 1 << 30: "1GB", 16 << 30: "16GB"} {
		if got := HugePageName(size); got != want {
			t.Errorf("%d: got %s, want %s", size, got, want)
		}
	}
}
