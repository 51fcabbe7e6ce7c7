package proc

import (
	"errors"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/test/hosts"
	"linuxcontainers.org/lxcfs/test/hosts/machine"
)

// Each line of vmstat is of one of four kinds.
func TestVmstat(t *testing.T) {
	host := "nr_free_pages 100000\nnr_inactive_file 60000\nnr_active_file 40000\nnr_dirtied 77\nnr_dirty_threshold 40000\nnr_dirty_background_threshold 20001\n" +
		"pgpgin 5\npgalloc_normal 9\npgfault 9\npgscan_kswapd 9\npgscan_direct 9\npgsteal_direct 9\nworkingset_refault_file 9\nnews_of_2030 9\n"
	v := &view.View{PageSize: 4096, Host: view.HostMemory{Total: 1 << 30}}
	v.Memory = cgroup.Memory{Limit: cgroup.Limit{Value: 80 << 20}, Usage: 40 << 20, Stat: cgroup.MemoryStat{InactiveFile: 20 << 20, ActiveFile: 18 << 20, Pgfault: 3}}
	v.IO = []cgroup.IOStat{{Major: 8, Rbytes: 4096}}
	got, err := AppendVmstat(nil, []byte(host), v)
	want := "nr_free_pages 10240\nnr_inactive_file 5120\nnr_active_file 4608\nnr_dirtied 0\nnr_dirty_threshold 3993\nnr_dirty_background_threshold 1996\n" +
		"pgpgin 4\npgalloc_normal 0\npgfault 3\npgscan_kswapd 0\npgscan_direct 0\npgsteal_direct 0\nworkingset_refault_file 0\nnews_of_2030 0\n"
	if err != nil || string(got) != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
	for _, wrong := range []string{"nr_dirtied x\n", "nr_dirtied\n", "nr_free_pages 5 kB\n", "\n"} {
		if _, err := AppendVmstat(nil, []byte(wrong), v); !errors.Is(err, cgroup.ErrFormat) {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}

// Before Linux 6.0 memory.stat counts reclaim of all kinds in one line.
func TestReclaim(t *testing.T) {
	const host, name = "pgscan_kswapd 9\npgscan_direct 9\npgscan_khugepaged 9\npgsteal_kswapd 9\npgsteal_direct 9\n", "5.10-synthetic-v2-lxc-over-limit"
	for stat, want := range map[string]string{
		"pgscan 100\npgsteal 50\n": "0 100 0 0 50",
		"pgscan 100\npgsteal 50\npgscan_kswapd 30\npgscan_direct 69\npgscan_khugepaged 1\npgsteal_kswapd 20\npgsteal_direct 30\n": "30 69 1 20 30",
		"": "0 0 0 0 0",
	} {
		files := hosts.Load(t, name)
		files.Files["/proc/vmstat"] = host
		for path := range files.Files {
			if strings.HasSuffix(path, "/memory.stat") {
				files.Files[path] = stat
			}
		}
		m := machine.New(t, files)
		got, _, _, err := m.Read(m.Container(t, 1000), view.File{
			Path: "/proc/vmstat", Append: AppendVmstat, Needs: view.NeedMemory | view.NeedHostMemory | view.NeedIO | view.NeedEvents,
		})
		var numbers []string
		for _, line := range lines(got) {
			numbers = append(numbers, strings.Fields(line)[1])
		}
		if strings.Join(numbers, " ") != want || err != nil {
			t.Errorf("memory.stat %q: got %s, %v, want %s", stat, strings.Join(numbers, " "), err, want)
		}
	}
}

// A machine with pages of 64 KiB counts in these, and shows whole ones in kB.
func TestLargePages(t *testing.T) {
	m := machine.New(t, hosts.Load(t, "6.1-synthetic-v2-podman-ppc64le"))
	got := make(map[string][]byte)
	for _, f := range Files() {
		if name := strings.TrimPrefix(f.Path, "/proc/"); name == "meminfo" || name == "vmstat" {
			text, _, _, err := m.Read(m.Container(t, 1000), f)
			if err != nil {
				t.Fatal(err)
			}
			got[name] = text
		}
	}
	kB := fields(t, got["meminfo"])
	if kB["MemFree"] == 0 || kB["MemFree"]%64 != 0 || kB["AnonPages"]%64 != 0 {
		t.Errorf("MemFree %d kB, AnonPages %d kB: want whole pages", kB["MemFree"], kB["AnonPages"])
	}
	first, _, _ := strings.Cut(string(got["vmstat"]), "\n")
	if pages, _ := parseUint([]byte(strings.TrimPrefix(first, "nr_free_pages "))); pages*64 != kB["MemFree"] {
		t.Errorf("%s, MemFree %d kB", first, kB["MemFree"])
	}
}
