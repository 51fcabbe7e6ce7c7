//go:build integration

package integration

import (
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
	if got := strings.TrimSpace(b.run(pollScript("cpu", "some 100000 2000000", "0", "False"))); got != "write: 5" {
		t.Errorf("trigger without psi-poll: got %q, want EIO", got)
	}
}

// pollScript is a program that makes a trigger and says what poll(2) does. As
// nobody it first gives up all rights.
func pollScript(resource, trigger, timeout, nobody string) string {
	return `python3 -c '
import os, select, time
if ` + nobody + `:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    fd = os.open("/proc/pressure/` + resource + `", os.O_RDWR | os.O_NONBLOCK)
except OSError as e:
    print("open:", e.errno); raise SystemExit
try:
    os.write(fd, b"` + trigger + `\0")
except OSError as e:
    print("write:", e.errno); raise SystemExit
p = select.poll()
p.register(fd, select.POLLPRI)
open("/tmp/polling-` + resource + `", "w").close()
print("events:", [e for _, e in p.poll(` + timeout + `)])
'`
}

// Triggers work without a right to write to cgroupfs, by the kernel's limits;
// other files can still be polled.
func TestPressureTriggers(t *testing.T) {
	d := start(t, "-o", "psi-poll")
	b := pressureBox(t, d)
	b.run("mount -t tmpfs none /tmp && chmod 1777 /tmp")
	for _, tt := range []struct{ name, script, want string }{
		{"grammar", pollScript("cpu", "some 1", "0", "False"), "write: 22"},
		{"window of 1 s without CAP_SYS_RESOURCE", pollScript("cpu", "some 100000 1000000", "0", "True"), "write: 22"},
		{"nothing happens", pollScript("memory", "some 9900000 10000000", "1000", "False"), "events: []"},
	} {
		if got := strings.TrimSpace(b.run(tt.script)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := strings.TrimSpace(b.run(`python3 -c '
import select
f = open("/proc/meminfo"); p = select.poll(); p.register(f, select.POLLIN | select.POLLPRI); print([e for _, e in p.poll(0)])'`)); got != "[1]" {
		t.Errorf("poll of /proc/meminfo: got %q, want POLLIN", got)
	}
	if got := strings.TrimSpace(b.run(`python3 -c '
import os, select
fd = os.open("/proc/pressure/cpu", os.O_RDWR); p = select.poll(); p.register(fd, select.POLLPRI); print([e for _, e in p.poll(0)])'`)); got != "[10]" {
		t.Errorf("poll without a trigger: got %q, want POLLPRI and POLLERR", got)
	}
	// Three loops on one CPU wait for each other.
	got := b.run(`for i in 1 2 3; do (timeout 100 sh -c 'while :; do :; done' & echo $!) ; done >/tmp/loops 2>/dev/null
` + pollScript("cpu", "some 200000 2000000", "90000", "True") + `
kill $(cat /tmp/loops) 2>/dev/null; true`)
	if strings.TrimSpace(got) != "events: [2]" {
		t.Errorf("CPU stall, as nobody: got %q, want POLLPRI", got)
	}
}

// Whoever waits for an event while the daemon dies is woken, for one may have
// been missed, and his trigger goes on.
func TestPressureTriggerOutlivesDaemon(t *testing.T) {
	d := start(t, "--keeper", "-o", "psi-poll")
	b := pressureBox(t, d)
	b.run("mount -t tmpfs none /tmp && chmod 1777 /tmp")
	b.run("(" + pollScript("memory", "some 9900000 10000000", "90000", "False") + " >/tmp/result; touch /tmp/done) &")
	waitFor(t, "the poll to begin", func() bool { return strings.TrimSpace(b.run("ls /tmp/polling-memory 2>/dev/null")) != "" })
	time.Sleep(100 * time.Millisecond) // too early only makes the test easier
	old := d.worker()
	syscall.Kill(old, syscall.SIGKILL)
	waitFor(t, "the poller to be woken", func() bool { return strings.TrimSpace(b.run("ls /tmp/done 2>/dev/null")) != "" })
	if got := strings.TrimSpace(b.run("cat /tmp/result")); got != "events: [2]" {
		t.Errorf("got %q, want POLLPRI", got)
	}
}
