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
