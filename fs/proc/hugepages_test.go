package proc

import (
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

func TestHugePages(t *testing.T) {
	const (
		head = "MemTotal:       4096000 kB\nSwapTotal:             0 kB\n"
		host = "HugePages_Total:      16\nHugePages_Free:        9\nHugePages_Rsvd:        2\nHugePages_Surp:        1\nHugepagesize:       2048 kB\nHugetlb:           32768 kB\n"
		page = 2 << 20
	)
	for _, test := range []struct {
		name string
		in   view.Hugetlb
		want string
	}{
		{"no controller: the host's", view.Hugetlb{}, host},
		{"no limit: as many as the host has free", view.Hugetlb{Known: true, Usage: 3 * page, Limit: cgroup.Max},
			"HugePages_Total:      16\nHugePages_Free:        9\nHugePages_Rsvd:        2\nHugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:           32768 kB\n"},
		{"a limit", view.Hugetlb{Known: true, Usage: 3 * page, Limit: 4 * page},
			"HugePages_Total:       4\nHugePages_Free:        1\nHugePages_Rsvd:        1\nHugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:            8192 kB\n"},
		{"usage above a limit", view.Hugetlb{Known: true, Usage: 9 * page, Limit: 4*page + 1},
			"HugePages_Total:       4\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:            8192 kB\n"},
		{"none allowed", view.Hugetlb{Known: true},
			"HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := &view.View{Hugetlb: test.in, Memory: cgroup.Memory{Version: 2, Limit: cgroup.Limit{Value: cgroup.Max}}}
			got, err := AppendMeminfo(nil, []byte(head+host), v)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimPrefix(string(got), head); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
	if _, err := AppendMeminfo(nil, []byte(head), &view.View{Hugetlb: view.Hugetlb{Known: true}}); err == nil {
		t.Error("a host without huge pages: no error")
	}
}
