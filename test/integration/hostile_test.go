//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// newBoxIn is newBox in a cgroup of that path below one made for the test.
func newBoxIn(t *testing.T, d *daemon, l limits, path ...string) *box {
	t.Helper()
	if len(v1Controllers()) < 5 {
		t.Skipf("needs cgroup v1 controllers; have: %q (v2 is tested in the VM)", v1Controllers())
	}
	top := fmt.Sprintf("lxcfs-test-%d-%d", os.Getpid(), boxes.Add(1))
	b := &box{t: t, name: filepath.Join(append([]string{top}, path...)...)}
	t.Cleanup(func() {
		b.remove()
		for dir := filepath.Dir(b.name); dir != "."; dir = filepath.Dir(dir) {
			for _, c := range v1Controllers() {
				os.Remove(filepath.Join("/sys/fs/cgroup", c, dir))
			}
		}
	})
	b.makeCgroups(l)
	b.start(d)
	return b
}

// Whatever a container is called, its numbers are its own: spaces, colons,
// backslashes, bytes that are no text, the marks that the kernel and others use
// themselves, and paths as long as the kernel allows.
func TestHostileCgroupNames(t *testing.T) {
	d := start(t)
	long := make([]string, 14) // of 4096 bytes, /sys/fs/cgroup/cpuset and the name of the test's cgroup
	for i := range long {
		long[i] = strings.Repeat("a b:\\", 51)
	}
	for name, path := range map[string][]string{
		"spaces":     {" a  b "},
		"colons":     {"a:b", ":", "0::"},
		"backslash":  {`a\040b`, `\`, `\n`},
		"bytes":      {"\xff\xfe\x01\t"},
		"deleted":    {"a (deleted)"},
		"dots":       {"...", "..a"},
		"commas":     {"memory,cpu=name=systemd"},
		"long":       long,
		"a victim's": {"lxc.payload.victim", "docker-" + strings.Repeat("0", 64) + ".scope"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBoxIn(t, d, limits{memory: "536870912", cpus: "0"}, path...)
			if got := field(t, b.run("cat /proc/meminfo"), "MemTotal:"); got != 524288 {
				t.Errorf("MemTotal %d kB, want 524288", got)
			}
			if got := strings.TrimSpace(b.run("cat /sys/devices/system/cpu/online")); got != "0" {
				t.Errorf("online %q, want 0", got)
			}
		})
	}
}

// A process may call itself anything: what looks like the fields of
// /proc/PID/stat must not be taken for them.
func TestHostileCommandNames(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "536870912"}, nil)
	for _, name := range []string{") R 1 1 (", ")", "((((", "a) (b", "0 0 0 0 0"} {
		program := filepath.Join(t.TempDir(), name)
		if err := os.Symlink(lookPath(t, "cat"), program); err != nil {
			t.Fatal(err)
		}
		text := b.run(fmt.Sprintf("'%s' /proc/meminfo /proc/uptime /proc/stat /proc/loadavg", program))
		if got := field(t, text, "MemTotal:"); got != 524288 {
			t.Errorf("MemTotal %d kB for a caller named %q, want 524288", got, name)
		}
	}
}

func lookPath(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"/usr/bin", "/bin"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name)
		}
	}
	t.Fatalf("no %s", name)
	return ""
}

// A container whose cgroups vanish under its readers, and one whose init dies in
// the middle of a read, get numbers or the host's, and never an error.
func TestVanishingContainers(t *testing.T) {
	d := start(t)
	r := startReaders(d, 4)
	for range 15 {
		b := newBox(t, d, limits{memory: "268435456"}, nil)
		b.background("while cat /proc/meminfo /proc/stat /proc/loadavg >/dev/null; do :; done")
		mustRead(t, fmt.Sprintf("%s/proc/meminfo", d.dir))
		syscall.Kill(b.cmd.Process.Pid, syscall.SIGKILL)
		b.remove()
	}
	r.finish(t)
}

// Whatever stands in the interface files of a container, and however much of it,
// its readers get a file whose numbers are its own, its parent's or the host's.
func TestGarbageInterfaceFiles(t *testing.T) {
	d := start(t)
	newBox(t, d, limits{memory: "268435456"}, nil).run("cat /proc/meminfo /proc/stat") // a neighbour
	allowed := map[uint64]bool{536870912 >> 10: true, field(t, mustRead(t, "/proc/meminfo"), "MemTotal:"): true}
	for name, garbage := range map[string]string{
		"empty":       "",
		"words":       "no number here\n",
		"negative":    "-1\n",
		"overflow":    "99999999999999999999999999\n",
		"NUL":         "\x00\x00\x00\x00",
		"long":        strings.Repeat("x", 1<<20),
		"many lines":  strings.Repeat("key 1\n", 1<<16),
		"many CPUs":   "0-4095\n",
		"wild CPUs":   "4294967295-0,,7-\n",
		"directories": "/../../..\n",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, d, limits{memory: "536870912", cpus: "0"}, nil)
			b.garble(garbage)
			for _, f := range []string{"meminfo", "stat", "cpuinfo", "uptime", "loadavg", "swaps", "diskstats"} {
				if text := b.run("cat /proc/" + f + " || echo failed"); strings.Contains(text, "failed") || text == "" && f != "diskstats" {
					t.Errorf("%s: %.200q", f, text)
				}
			}
			text := b.run("cat /proc/meminfo")
			if got := field(t, text, "MemTotal:"); !allowed[got] {
				t.Errorf("MemTotal %d kB, want one of %v", got, allowed)
			}
			if free := field(t, text, "MemFree:"); free > field(t, text, "MemTotal:") {
				t.Errorf("MemFree %d kB is more than MemTotal:\n%s", free, text)
			}
		})
	}
}

// garble puts the text in the place of every interface file of the container.
func (b *box) garble(text string) {
	b.t.Helper()
	garbage := filepath.Join(b.t.TempDir(), "garbage")
	b.write(garbage, text)
	for _, dir := range b.cgroups {
		files, err := filepath.Glob(dir + "/*.*")
		if err != nil || len(files) == 0 {
			b.t.Fatalf("no interface files in %s: %v", dir, err)
		}
		for _, f := range files {
			if filepath.Base(f) == "cgroup.procs" {
				continue // the test needs it
			}
			if err := syscall.Mount(garbage, f, "", syscall.MS_BIND, ""); err != nil {
				b.t.Fatalf("bind over %s: %v", f, err)
			}
			b.t.Cleanup(func() { syscall.Unmount(f, syscall.MNT_DETACH) })
		}
	}
}
