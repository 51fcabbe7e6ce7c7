//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// newBoxIn is newBox in a cgroup of that path below one made for the test.
func newBoxIn(t *testing.T, d *daemon, l limits, path ...string) *box {
	t.Helper()
	return newBoxAt(t, d, l, filepath.Join(append([]string{newTop()}, path...)...))
}

// newTop returns the name of a cgroup for a test.
func newTop() string { return fmt.Sprintf("lxcfs-test-%d-%d", os.Getpid(), boxes.Add(1)) }

// newBoxAt is newBox in the cgroup of that path.
func newBoxAt(t *testing.T, d *daemon, l limits, name string) *box {
	t.Helper()
	if len(v1Controllers()) < 5 {
		t.Skipf("needs cgroup v1 controllers; have: %q (v2 is tested in the VM)", v1Controllers())
	}
	b := &box{t: t, name: name}
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
		"deep":       slices.Repeat([]string{"d"}, 150),
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

// A container with hundreds of pid namespaces and thousands of mounts, whose processes enter the namespaces from outside all
// the time, beside a victim below the same parent, as Docker's cgroupfs driver makes them. Whoever is asked about, victim or
// attacker, each new process is shown its own container's memory.
func TestHostileNeighbour(t *testing.T) {
	const namespaces, mounts, callers, reads = 300, 600, 24, 60
	d := start(t)
	top := newTop()
	id := func(digit string) string { return filepath.Join(top, "docker", strings.Repeat(digit, 64)) }
	attacker := newBoxAt(t, d, limits{memory: "536870912"}, id("a"))
	victim := newBoxAt(t, d, limits{memory: "268435456"}, id("b"))
	dir := t.TempDir()
	made := attacker.run(fmt.Sprintf(`mount -t tmpfs tmpfs %[1]s; mkdir %[1]s/m; for i in $(seq %[2]d); do mount --bind %[1]s/m %[1]s/m; done
for i in $(seq %[3]d); do unshare --pid --fork sleep 600 </dev/null >/dev/null 2>&1 & done
n=0; while [ $n -lt %[3]d ]; do n=0; for c in /proc/[0-9]*/comm; do read -r x <$c && [ "$x" = sleep ] && n=$((n + 1)); done; done 2>/dev/null; echo $n`, dir, mounts, namespaces))
	if strings.TrimSpace(made) != fmt.Sprint(namespaces) {
		t.Fatalf("the attacker made %q namespaces", made)
	}
	attacker.run(fmt.Sprintf(`for c in /proc/[0-9]*; do read -r x <$c/comm; if [ "$x" = sleep ]; then pids="$pids ${c#/proc/}"; fi; done
set -- $pids
for i in $(seq %d); do shift; (while :; do nsenter --target $1 --pid -- cat /proc/meminfo | head -n 1; done >%s/$i 2>/dev/null) </dev/null & done`, callers, dir))
	wrong := 0
	for range reads {
		if got := field(t, victim.run("cat /proc/meminfo"), "MemTotal:"); got != 262144 {
			wrong++
			t.Logf("MemTotal %d kB for the victim", got)
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d reads of the victim were not its own", wrong, reads)
	}
	lines := attacker.run("cat " + dir + "/[0-9]*")
	if !strings.Contains(lines, "MemTotal:") {
		t.Error("the attacker made no reads")
	}
	for line := range strings.Lines(lines) {
		if f := strings.Fields(line); len(f) == 3 && f[1] != "524288" {
			t.Errorf("the attacker reads %q", line)
			break
		}
	}
}
