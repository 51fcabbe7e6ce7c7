package proc

import (
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// The two files have the same devices: what was used, whole, and what may be
// opened, partitions too, with zeros.
func TestDisks(t *testing.T) {
	const diskstats = "   7       0 loop0 9 9 9 9 9 9 9 9 9 9 9\n 259       1 loop0p1 9 9 9 9 9 9 9 9 9 9 9\n" +
		"   8       0 sda 9 9 9 9 9 9 9 9 9 9 9\n   8       1 sda1 9 9 9 9 9 9 9 9 9 9 9\n"
	const partitions = "major minor  #blocks  name\n\n   7        0      65536 loop0\n 259        1      16384 loop0p1\n" +
		"   8        0       2048 sda\n   8        1       1024 sda1\n"
	const head = "major minor  #blocks  name\n\n"
	used := []cgroup.IOStat{{Major: 8, Rios: 1, Rbytes: 1024, Wios: 2, Wbytes: 512}}
	for _, tt := range []struct {
		name                  string
		v                     view.View
		diskstats, partitions string
	}{
		{"used", view.View{IO: used}, "   8       0 sda 1 0 2 0 2 0 1 0 0 0 0\n", head + "   8        0       2048 sda\n"},
		{"used, and may open a driver's", view.View{IO: used, Devices: view.Devices{{Major: 7, Minor: cgroup.AnyNumber}}},
			"   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n   8       0 sda 1 0 2 0 2 0 1 0 0 0 0\n",
			head + "   7        0      65536 loop0\n   8        0       2048 sda\n"},
		{"may open a partition", view.View{Devices: view.Devices{{Major: 259, Minor: 1}}},
			" 259       1 loop0p1 0 0 0 0 0 0 0 0 0 0 0\n", head + " 259        1      16384 loop0p1\n"},
		{"may open all", view.View{IO: used, Devices: view.AllDevices()},
			"   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n 259       1 loop0p1 0 0 0 0 0 0 0 0 0 0 0\n" +
				"   8       0 sda 1 0 2 0 2 0 1 0 0 0 0\n   8       1 sda1 0 0 0 0 0 0 0 0 0 0 0\n", partitions},
		{"one that stands for all", view.View{IO: []cgroup.IOStat{{Major: 8}}}, "   8       0 sda 0 0 0 0 0 0 0 0 0 0 0\n", head + "   8        0       2048 sda\n"},
	} {
		got, err := AppendDiskstats(nil, []byte(diskstats), &tt.v)
		if err != nil || string(got) != tt.diskstats {
			t.Errorf("%s: diskstats: got %q, %v, want %q", tt.name, got, err, tt.diskstats)
		}
		got, err = AppendPartitions(nil, []byte(partitions), &tt.v)
		if err != nil || string(got) != tt.partitions {
			t.Errorf("%s: partitions: got %q, %v, want %q", tt.name, got, err, tt.partitions)
		}
	}
}
