//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// unifiedDir is where cgroup v2 is mounted here, "" for nowhere.
func unifiedDir() string {
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(dir + "/cgroup.controllers"); err == nil {
			return dir
		}
	}
	return ""
}

// pressureBox is a container of one CPU with a v2 cgroup of its own and the
// pressure files of d.
func pressureBox(t *testing.T, d *daemon) *box {
	t.Helper()
	unified := unifiedDir()
	if _, err := os.Stat("/proc/pressure/cpu"); err != nil || unified == "" {
		t.Skipf("needs cgroup v2 and CONFIG_PSI; have: cgroup v2 at %q, %v", unified, err)
	}
	b := newBox(t, d, limits{memory: "268435456", cpus: "0"}, nil)
	dir := filepath.Join(unified, b.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b.cgroups = append(b.cgroups, dir)
	for line := range strings.Lines(mustRead(t, filepath.Join("/sys/fs/cgroup/pids", b.name, "cgroup.procs"))) {
		b.write(dir+"/cgroup.procs", strings.TrimSpace(line))
	}
	b.run("mount --bind " + d.path("proc/pressure") + " /proc/pressure")
	return b
}

// A container reads the pressure of its own cgroup.
func TestPressureOfContainer(t *testing.T) {
	d := start(t)
	b := pressureBox(t, d)
	total := func(text string) string { return text[strings.LastIndex(text, "total="):] }
	for _, resource := range []string{"cpu", "memory", "io"} {
		want := mustRead(t, filepath.Join(unifiedDir(), b.name, resource+".pressure"))
		got := b.run("cat /proc/pressure/" + resource)
		if strings.Count(got, "\n") != strings.Count(want, "\n") || resource == "memory" && total(got) != total(want) {
			t.Errorf("%s: got %q, want %q", resource, got, want)
		}
	}
	if got := strings.TrimSpace(b.run(poller("pressure/cpu", "some 100000 2000000", 0, 0, ""))); got != "write: input/output error" {
		t.Errorf("trigger without psi-poll: got %q, want EIO", got)
	}
}

// poller is the command line of a poller: see pollFile. Its mark is the file
// name that it creates before it waits.
func poller(file, trigger string, timeout time.Duration, uid int, mark string) string {
	return fmt.Sprintf("%s='/proc/%s|%s|%d|%d|%s' %s", pollerEnv, file, trigger, timeout.Milliseconds(), uid, mark, os.Args[0])
}

// Triggers work without a right to write to cgroupfs, by the kernel's limits;
// other files can still be polled.
func TestPressureTriggers(t *testing.T) {
	d := start(t, "-o", "psi-poll")
	b := pressureBox(t, d)
	const nobody = 65534
	for _, tt := range []struct{ name, command, want string }{
		{"grammar", poller("pressure/cpu", "some 1", 0, 0, ""), "write: invalid argument"},
		{"window of 1 s without CAP_SYS_RESOURCE", poller("pressure/cpu", "some 100000 1000000", 0, nobody, ""), "write: invalid argument"},
		{"nothing happens", poller("pressure/memory", "some 9900000 10000000", time.Second, 0, ""), "events: 0"},
		{"a file without triggers", poller("meminfo", "", 0, 0, ""), "events: IN"},
		{"no trigger", poller("pressure/cpu", "", 0, 0, ""), "events: PRI ERR"},
	} {
		if got := strings.TrimSpace(b.run(tt.command)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	// Three loops on one CPU wait for each other.
	loops := filepath.Join(t.TempDir(), "loops")
	got := b.run(`for i in 1 2 3; do (timeout 100 sh -c 'while :; do :; done' & echo $!) ; done >` + loops + ` 2>/dev/null
` + poller("pressure/cpu", "some 200000 2000000", 90*time.Second, nobody, "") + `
kill $(cat ` + loops + `) 2>/dev/null; true`)
	if strings.TrimSpace(got) != "events: PRI" {
		t.Errorf("CPU stall, as nobody: got %q, want PRI", got)
	}
}

// Whoever waits for an event while the daemon dies is woken, for one may have
// been missed, and his trigger goes on.
func TestPressureTriggerOutlivesDaemon(t *testing.T) {
	d := start(t, "--keeper", "-o", "psi-poll")
	b := pressureBox(t, d)
	mark := filepath.Join(t.TempDir(), "mark")
	pid, output := b.background(poller("pressure/memory", "some 9900000 10000000", 90*time.Second, 0, mark))
	waitFor(t, "the poll to begin", func() bool { _, err := os.Stat(mark); return err == nil || b.ended(pid) })
	time.Sleep(100 * time.Millisecond) // too early only makes the test easier
	syscall.Kill(d.worker(), syscall.SIGKILL)
	waitFor(t, "the poller to be woken", func() bool { return b.ended(pid) })
	if got := strings.TrimSpace(mustRead(t, output)); got != "events: PRI" {
		t.Errorf("got %q, want PRI", got)
	}
}
