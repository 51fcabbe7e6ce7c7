//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// bindSystem binds the trees of CPUs, nodes and memory of a daemon over a container's own.
func (b *box) bindSystem(d *daemon) {
	b.t.Helper()
	const system = "/sys/devices/system/"
	for _, tree := range []string{"cpu", "node", "memory"} {
		if _, err := os.Stat(system + tree); err == nil {
			b.run("mount --bind " + d.dir + system + tree + " " + system + tree)
		}
	}
}

// present returns the names of the host's CPUs in a directory, as a shell lists them.
func present(t *testing.T, dir string) string {
	t.Helper()
	paths, err := filepath.Glob(dir + "/cpu[0-9]*")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %d CPUs, %v", dir, len(paths), err)
	}
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return strings.Join(paths, " ")
}

// What a container of one CPU sees of the CPU and node trees agrees with /proc
// and with what lscpu makes of it: the other CPUs are offline.
func TestSystemTreesOfContainer(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "268435456", cpus: "1"}, nil)
	b.bindSystem(d)
	const cpus = "/sys/devices/system/cpu/"
	all := present(t, cpus)
	possible := possibleCPUs(t)
	for command, want := range map[string]string{
		"cd /sys/devices/system/cpu && echo cpu[0-9]*":                                                   all,
		"cat /sys/devices/system/cpu/online":                                                             "1",
		"cat /sys/devices/system/cpu/possible":                                                           possible.String(),
		"cat /sys/devices/system/cpu/present":                                                            strings.TrimSpace(mustRead(t, cpus+"present")),
		"tr , '\n' </sys/devices/system/cpu/offline | head -n 1":                                         "0",
		"cat /sys/devices/system/cpu/cpu0/online /sys/devices/system/cpu/cpu1/online":                    "0\n1",
		"ls -d /sys/devices/system/cpu/cpu0/topology /sys/devices/system/cpu/cpu0/cache 2>/dev/null":     "",
		"cat /sys/devices/system/cpu/cpu0/hotplug/state || echo 0":                                       "0",
		"cd /sys/bus/cpu/devices && for c in *; do test -d $c/ && echo $c; done | xargs":                 all,
		"cat /sys/bus/cpu/devices/cpu0/online":                                                           "0",
		"cat /sys/devices/system/cpu/cpu1/topology/core_siblings_list":                                   "1",
		"cd /sys/devices/system/cpu/cpu1/topology && cat core_cpus thread_siblings | tr -d 0, | sort -u": "2",
		"getconf _NPROCESSORS_CONF":                                                                      fmt.Sprint(possible.Count()),
		"getconf _NPROCESSORS_ONLN":                                                                      "1",
		"lscpu -p=CPU | grep -v '#'":                                                                     "1",
		"lscpu -p=CPU,CORE,SOCKET,NODE | grep -v '#' | wc -l":                                            "1",
		"lscpu | awk -F: '/^CPU\\(s\\)/ {gsub(/ /, \"\"); print $2}'":                                    fmt.Sprint(len(strings.Fields(all))),
		"lscpu | awk -F: '/^On-line/ {gsub(/ /, \"\"); print $2}'":                                       "1",
		"lscpu | awk -F: '/^Thread|^Core/ {gsub(/ /, \"\"); print $2}'":                                  "1\n1",
		"echo x 2>/dev/null >/sys/devices/system/cpu/cpu1/uevent || echo refused":                        "refused",
		"echo 1 2>/dev/null >/sys/devices/system/cpu/cpu0/online || echo refused":                        "refused",
		"mkdir /sys/devices/system/cpu/x 2>/dev/null || echo refused":                                    "refused",
	} {
		if got := strings.TrimSpace(b.run(command)); got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
	if _, err := os.Stat("/sys/devices/system/node/node0"); err != nil {
		return
	}
	for command, want := range map[string]string{
		"cd /sys/devices/system/node && echo node[0-9]*":                      "node0",
		"cat /sys/devices/system/node/node0/cpulist":                          "1",
		"cd /sys/devices/system/node/node0 && echo cpu[0-9]*":                 present(t, "/sys/devices/system/node/node0"),
		"awk '/MemTotal/ {print $4}' /sys/devices/system/node/node0/meminfo":  "262144",
		"cat /sys/devices/system/node/node0/cpu1/topology/core_siblings_list": "1",
	} {
		if got := strings.TrimSpace(b.run(command)); got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
	if nodes, err := filepath.Glob("/sys/devices/system/node/node[0-9]*"); err == nil && len(nodes) == 1 {
		b.checkNode()
	}
}

// checkNode: the only node has what /proc/meminfo has, but for what changes
// between the reads; in kB or, in vmstat, in pages.
func (b *box) checkNode() {
	b.t.Helper()
	near := func(what string, got, want uint64) {
		if got > want+16<<10 || want > got+16<<10 {
			b.t.Errorf("%s: got %d kB, in /proc/meminfo %d kB", what, got, want)
		}
	}
	own := b.run("cat /proc/meminfo")
	node := strings.ReplaceAll(b.run("cat /sys/devices/system/node/node0/meminfo"), "Node 0 ", "")
	for _, name := range []string{"MemFree:", "AnonPages:", "Shmem:", "KReclaimable:", "Slab:", "SUnreclaim:", "KernelStack:", "PageTables:"} {
		near("node0/meminfo "+name, field(b.t, node, name), field(b.t, own, name))
	}
	for _, file := range []string{"/proc/vmstat", "/sys/devices/system/node/node0/vmstat"} {
		text := b.run("cat " + file)
		for name, same := range map[string]string{
			"nr_free_pages": "MemFree:", "nr_anon_pages": "AnonPages:", "nr_slab_reclaimable": "SReclaimable:", "nr_page_table_pages": "PageTables:",
		} {
			near(file+" "+name, field(b.t, text, name)*uint64(os.Getpagesize())>>10, field(b.t, own, same))
		}
	}
}

// lsmem, and what else looks at the blocks of memory, finds as many as the limit
// is; the whole of them on the host.
func TestMemoryBlocksOfContainer(t *testing.T) {
	const tree = "/sys/devices/system/memory"
	text, err := os.ReadFile(tree + "/block_size_bytes")
	if err != nil {
		t.Skip("this host has no " + tree)
	}
	size, err := strconv.ParseUint(strings.TrimSpace(string(text)), 16, 63)
	if err != nil {
		t.Fatal(err)
	}
	const limit = 256 << 20
	count := max(1, (limit+size-1)/size)
	d := start(t)
	b := newBox(t, d, limits{memory: "268435456", cpus: "1"}, nil)
	b.bindSystem(d)
	for command, want := range map[string]uint64{
		"ls -d " + tree + "/memory[0-9]* | wc -l":                                 count,
		"cat " + tree + "/memory[0-9]*/state | grep -c online":                    count,
		"ls -d /sys/devices/system/node/node*/memory[0-9]* | wc -l":               count,
		"lsmem -b -o SIZE -n --summary=never | awk '{ n += $1 } END { print n }'": count * size,
	} {
		if got := strings.TrimSpace(b.run(command)); got != fmt.Sprint(want) {
			t.Errorf("%s: got %s, want %d", command, got, want)
		}
	}
	all, err := filepath.Glob(tree + "/memory[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	if served, err := filepath.Glob(d.path(tree + "/memory[0-9]*")); err != nil || len(served) != len(all) {
		t.Errorf("%d blocks for the host, %v, want %d", len(served), err, len(all))
	}
}

// The disks in a container's /sys/block are those of its /proc/diskstats, with
// the same numbers, for iostat too.
func TestDisksOfContainer(t *testing.T) {
	const block = "/sys/block"
	if _, err := os.Stat(block); err != nil {
		t.Skip("this host has no " + block)
	}
	d := start(t)
	b := newBox(t, d, limits{memory: "268435456", cpus: "1"}, nil)
	b.run("mount --bind " + d.dir + block + " " + block)
	b.run("dd if=/dev/zero of=/var/tmp/lxcfs-test bs=64k count=4 oflag=direct 2>/dev/null; rm -f /var/tmp/lxcfs-test")
	want := b.run("awk '{ $1 = $2 = \"\"; print }' /proc/diskstats | sort | xargs -n 1")
	got := b.run("cd /sys/block && for d in *; do echo $d $(cat $d/stat); done | sort | xargs -n 1")
	if got != want || strings.TrimSpace(got) == "" {
		t.Errorf("got %q, want %q", got, want)
	}
	for command, want := range map[string]string{
		"iostat -d | awk 'NF > 6 && /^[a-z]/ { print $1 }' | sort": b.run("awk '$4 + $8 > 0 { print $3 }' /proc/diskstats | sort"),
		"cat /sys/block/*/inflight | xargs -n 2 | sort -u":         "0 0\n",
		// The box is privileged: what is not made here leads to the kernel's own.
		"find /sys/block/ -type l -exec readlink {} + | grep -vc '^/sys/devices/.*/block/'":             "0\n",
		"find /sys/block/ -type l | grep -c '^/sys/block/[^/]*/\\(queue\\|size\\|holders\\|slaves\\)$'": b.run("echo $((4 * $(ls /sys/block | wc -l)))"),
		"cat /sys/block/*/dev": b.run("awk '{ print $1 \":\" $2, $3 }' /proc/diskstats | while read -r d n; do [ -e /sys/class/block/$n/partition ] || echo $n $d; done | sort | cut -d' ' -f2"),
		"echo 1 2>/dev/null >/sys/block/$(ls /sys/block | head -n 1)/stat || echo refused": "refused\n",
	} {
		if got := b.run(command); got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
}

// On the host the trees are the host's, and no link in them leads out.
func TestSystemTreesOnHost(t *testing.T) {
	d := start(t)
	for _, tree := range []string{"cpu", "node", "memory"} {
		const system = "/sys/devices/system/"
		files := 0
		err := filepath.WalkDir(d.path(system+tree), func(path string, e os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			own := strings.TrimPrefix(path, d.dir)
			switch {
			case e.Type()&os.ModeSymlink != 0:
				to, err := filepath.EvalSymlinks(path)
				if err != nil || !strings.HasPrefix(to, d.dir+system) {
					t.Errorf("%s leads to %s, %v", own, to, err)
				}
			case e.Type().IsRegular():
				files++
				sameAsHost(t, path, own)
			}
			return nil
		})
		if os.IsNotExist(err) {
			continue
		}
		if err != nil || files == 0 {
			t.Errorf("%s: %d files, %v", tree, files, err)
		}
	}
}

// sameAsHost compares a file with the host's; of one that changes by itself only
// whether it can be read.
func sameAsHost(t *testing.T, path, own string) {
	t.Helper()
	want, wantErr := os.ReadFile(own)
	got, err := os.ReadFile(path)
	if (err == nil) != (wantErr == nil) {
		t.Errorf("%s: %v, on the host %v", own, err, wantErr)
	}
	switch filepath.Base(own) {
	case "cpulist", "cpumap", "online", "core_siblings", "size", "isolated", "kernel_max", "distance":
		if string(got) != string(want) {
			t.Errorf("%s: got %q, want %q", own, got, want)
		}
	}
}

// Whoever is in a directory of the tree stays there when the daemon dies, and so
// does whoever has a file open.
func TestSystemTreesOutliveDaemon(t *testing.T) {
	d := start(t, "--keeper")
	b := newBox(t, d, limits{memory: "268435456", cpus: "1"}, nil)
	b.bindSystem(d)
	for range 2 { // at the third death all files are the host's for a while
		b.in.Write([]byte("cd /sys/devices/system/cpu/cpu1/topology\nexec 7</sys/devices/system/cpu/cpu1/topology/core_siblings_list\n"))
		b.run("true")
		old := d.worker()
		syscall.Kill(old, syscall.SIGKILL)
		waitFor(t, "another worker", func() bool { w := d.worker(); return w != 0 && w != old })
		if got := strings.TrimSpace(b.run("cat core_siblings_list; cat <&7; cd ../..; echo cpu[0-9]*")); got != "1\n1\n"+present(t, "/sys/devices/system/cpu") {
			t.Errorf("after the death of the worker: got %q", got)
		}
	}
}
