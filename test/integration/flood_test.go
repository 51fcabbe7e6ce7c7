//go:build integration

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hostileProgram builds test/hostile where a container sees it.
func hostileProgram(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "hostile")
	cmd := exec.Command("go", "build", "-o", out, "linuxcontainers.org/lxcfs/test/hostile")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	return out
}

// floodThreads returns how many threads an attacker has; $LXCFS_TEST_FLOOD says
// how many, for a machine that can bear more than is needed to see a fault.
func floodThreads(t *testing.T) int {
	t.Helper()
	text := os.Getenv("LXCFS_TEST_FLOOD")
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("$LXCFS_TEST_FLOOD is %q, want a number", text)
	}
	return n
}

// startFlood has a container read with that many threads. The function that is
// returned ends it, and fails the test if a read of it failed.
func startFlood(t *testing.T, b *box, program string, threads int) (stop func()) {
	t.Helper()
	return startAttack(t, b, fmt.Sprintf("%s flood %d /proc/meminfo /proc/stat /proc/uptime /proc/cpuinfo", program, threads))
}

// startAttack is startFlood for any command of test/hostile's.
func startAttack(t *testing.T, b *box, command string) (stop func()) {
	t.Helper()
	pid, log := b.background(command)
	said := func() string {
		text, _ := os.ReadFile(log) // not there at first
		return string(text)
	}
	waitFor(t, "the flood", func() bool { return strings.Contains(said(), "flooding") })
	return func() {
		t.Helper()
		b.run("kill " + pid)
		waitFor(t, "the flood to end", func() bool { return b.ended(pid) })
		t.Logf("attacker: %s", said())
		if !strings.Contains(said(), " 0 failed") {
			t.Errorf("reads of the attacker failed: %s", said())
		}
	}
}

// One container reads with thousands of threads, also from a cgroup deep in its own.
// Its neighbour, which starts a process for each read, is shown its own numbers each
// time. How long it waits is logged beside what it waited before: see the figures in
// test/hostile/RESULTS.md.
func TestFlood(t *testing.T) {
	program := hostileProgram(t)
	for name, path := range map[string][]string{"flat": {"attacker"}, "nested": slices.Repeat([]string{"n"}, 150)} {
		t.Run(name, func(t *testing.T) {
			d := start(t)
			victim := newBox(t, d, limits{memory: "268435456"}, nil)
			attacker := newBoxIn(t, d, limits{memory: "2147483648"}, path...)
			const reads = 100
			sample := fmt.Sprintf("%s sample %d /proc/meminfo", program, reads)
			t.Logf("quiet: %s", victim.run(sample))
			threads := floodThreads(t)
			if name == "nested" {
				threads = min(threads, 500) // the kernel needs minutes to start more of them there
			}
			stop := startFlood(t, attacker, program, threads)
			time.Sleep(time.Second) // all of them are in the queue
			got := victim.run(sample)
			t.Logf("%d threads of a neighbour: %s", threads, got)
			t.Logf("daemon: %d kB resident", resident(t, d.cmd.Process.Pid))
			if want := fmt.Sprintf("%d times MemTotal:         262144 kB", reads); !strings.Contains(got, want) || !strings.Contains(got, " 0 of") {
				t.Errorf("the victim was shown %q, want %q", got, want)
			}
			stop()
			if d.cmd.ProcessState != nil {
				t.Error("the daemon is gone")
			}
		})
	}
}

// One container sends requests of 8000 bytes with a thousand threads: they wait as
// others do, and each gets its answer.
func TestLongRequests(t *testing.T) {
	program := hostileProgram(t)
	d := start(t)
	victim := newBox(t, d, limits{memory: "268435456"}, nil)
	attacker := newBox(t, d, limits{memory: "2147483648"}, nil)
	const reads = 100
	sample := fmt.Sprintf("%s sample %d /proc/meminfo", program, reads)
	t.Logf("quiet: %s", victim.run(sample))
	threads := floodThreads(t)
	stop := startAttack(t, attacker, fmt.Sprintf("%s ioctl %d /proc/meminfo /proc/stat", program, threads))
	time.Sleep(time.Second) // all of them are in the queue
	got := victim.run(sample)
	t.Logf("%d threads of a neighbour: %s", threads, got)
	t.Logf("daemon: %d kB resident", resident(t, d.cmd.Process.Pid))
	if want := fmt.Sprintf("%d times MemTotal:         262144 kB", reads); !strings.Contains(got, want) || !strings.Contains(got, " 0 of") {
		t.Errorf("the victim was shown %q, want %q", got, want)
	}
	stop()
}

// The worker is killed while hundreds of its requests wait for their turn: no
// read fails, and nobody is stuck.
func TestKillWorkerInFlood(t *testing.T) {
	d := start(t, "--keeper")
	program := hostileProgram(t)
	victim := newBox(t, d, limits{memory: "268435456"}, nil)
	stop := startFlood(t, newBox(t, d, limits{memory: "2147483648"}, nil), program, floodThreads(t))
	for kills, last := 0, 0; kills < 60; {
		pid := d.worker()
		if pid == 0 || pid == last {
			time.Sleep(time.Millisecond)
			continue
		}
		time.Sleep(time.Duration(kills%40) * 3 * time.Millisecond)
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			kills++
		}
		last = pid
	}
	got := victim.run(program + " sample 10 /proc/meminfo")
	if want := "10 times MemTotal:         262144 kB"; !strings.Contains(got, want) {
		t.Errorf("the victim was shown %q, want %q", got, want)
	}
	stop()
}
