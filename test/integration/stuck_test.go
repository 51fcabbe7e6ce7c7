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
	"time"
)

// stick makes a request for the container's meminfo block in the daemon: its
// memory usage becomes a FIFO that nobody writes to. The file is itself again
// when the returned function is called, and after the test.
func (b *box) stick() (release func()) {
	b.t.Helper()
	fifo := filepath.Join(b.t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		b.t.Fatal(err)
	}
	usage := "/sys/fs/cgroup/memory/" + b.name + "/memory.usage_in_bytes"
	if err := syscall.Mount(fifo, usage, "", syscall.MS_BIND, ""); err != nil {
		b.t.Fatalf("bind over %s: %v", usage, err)
	}
	released := false
	release = func() {
		if released {
			return
		}
		released = true
		if err := syscall.Unmount(usage, syscall.MNT_DETACH); err != nil {
			b.t.Errorf("%s: %v", usage, err)
		}
		// Whoever waits for a writer has had one now.
		if f, err := os.OpenFile(fifo, os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil {
			f.Close()
		}
	}
	b.t.Cleanup(release)
	return release
}

// blocked says whether a thread of the process waits for a FIFO to be opened.
func blocked(pid int) bool {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
	for _, f := range tasks {
		text, _ := os.ReadFile(f)
		if number, _, ok := strings.Cut(string(text), " "); ok && number == strconv.Itoa(syscall.SYS_OPENAT) {
			return true
		}
	}
	return false
}

// background starts a command in the container. It returns its pid there and
// the file that it prints into.
func (b *box) background(command string) (pid, output string) {
	b.t.Helper()
	output = filepath.Join(b.t.TempDir(), "output")
	return strings.TrimSpace(b.run(command + " >" + output + " 2>&1 & echo $!")), output
}

// ended says whether a process of the container is gone.
func (b *box) ended(pid string) bool {
	b.t.Helper()
	return strings.TrimSpace(b.run("test -d /proc/"+pid+" && echo there; true")) == ""
}

// A request whose rendering crashes each worker gets EIO in the end, and is the
// only one that does. Whoever kills workers from outside costs no reader anything.
func TestPoison(t *testing.T) {
	d := start(t, "--keeper")
	b := newBox(t, d, limits{memory: "536870912"}, nil)
	release := b.stick()
	reader, output := b.background("cat /proc/meminfo")
	if deaths := endWorkers(t, d, b, reader, syscall.SIGABRT, 10); deaths < 5 || !b.ended(reader) {
		t.Errorf("%d workers crashed; ended: %t", deaths, b.ended(reader))
	}
	if got := mustRead(t, output); !strings.Contains(got, "Input/output error") {
		t.Errorf("the reader printed %q, want EIO", got)
	}
	reader, output = b.background("cat /proc/meminfo")
	if deaths := endWorkers(t, d, b, reader, syscall.SIGKILL, 12); deaths != 12 || b.ended(reader) {
		t.Errorf("%d workers were killed; ended: %t", deaths, b.ended(reader))
	}
	release()
	waitFor(t, "the reader to end", func() bool { return b.ended(reader) })
	if got := mustRead(t, output); field(t, got, "MemTotal:") != 524288 {
		t.Errorf("the reader of killed workers printed %q", got)
	}
	waitFor(t, "the file to be virtual again", func() bool { return field(t, b.run("cat /proc/meminfo"), "MemTotal:") == 524288 })
}

// endWorkers sends a signal to one worker after the other when it is stuck in the
// request of a reader, as long as he waits and at most so often as is given.
func endWorkers(t *testing.T, d *daemon, b *box, reader string, signal syscall.Signal, most int) (deaths int) {
	t.Helper()
	for last := 0; deaths < most && !b.ended(reader); {
		worker := d.worker()
		if worker == 0 || worker == last || !blocked(worker) {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		mustRead(t, d.path("proc/uptime")) // served while that one waits
		last = worker
		syscall.Kill(worker, signal)
		deaths++
	}
	return deaths
}

// A reader who gives up while his request is under way costs the daemon one
// INTERRUPT, and not a storm of them: the kernel repeats those that are answered
// with EAGAIN at once.
func TestInterruptOfAStuckRequest(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "536870912"}, nil)
	release := b.stick()
	reader, _ := b.background("cat /proc/meminfo")
	waitFor(t, "the daemon to be stuck", func() bool { return blocked(d.cmd.Process.Pid) })
	before := reads(t, d.cmd.Process.Pid)
	b.run("kill -TERM " + reader)
	for range 100 { // each is a request of its own
		mustRead(t, d.path("proc/uptime"))
	}
	if n := reads(t, d.cmd.Process.Pid) - before; n > 100*50 {
		t.Errorf("%d read(2) by the daemon for 100 reads of a file and one interrupt", n)
	}
	release()
	waitFor(t, "the reader to end", func() bool { return b.ended(reader) })
}

// reads returns how often the process called read(2) and its like, proc(5).
func reads(t *testing.T, pid int) int {
	t.Helper()
	text := mustRead(t, fmt.Sprintf("/proc/%d/io", pid))
	_, rest, _ := strings.Cut(text, "syscr: ")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("syscr of %q: %v", text, err)
	}
	return n
}

// A container whose requests all block in the daemon, more of them than there
// are slots, stops nobody else.
func TestStuckContainerStopsNobody(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "536870912"}, nil)
	neighbour := newBox(t, d, limits{memory: "268435456"}, nil)
	release := b.stick()
	b.run("i=0; while [ $i -lt 100 ]; do cat /proc/meminfo >/dev/null & i=$((i+1)); done")
	waitFor(t, "the daemon to be stuck", func() bool { return blocked(d.cmd.Process.Pid) })
	for range 100 {
		if got := field(t, neighbour.run("cat /proc/meminfo"), "MemTotal:"); got != 262144 {
			t.Fatalf("MemTotal %d kB in the neighbour, want 262144", got)
		}
	}
	release()
	waitFor(t, "the container to be served again", func() bool { return field(t, b.run("cat /proc/meminfo"), "MemTotal:") == 524288 })
}

// A container whose request blocks for longer than the watchdog's time does not
// get the daemon killed, which serves others meanwhile.
func TestStuckRequestAndWatchdog(t *testing.T) {
	s := newService(t, nobody)
	d := &daemon{t: t, dir: s.up("a")[0]}
	b := newBox(t, d, limits{memory: "536870912"}, nil)
	release := b.stick()
	b.background("cat /proc/meminfo")
	waitFor(t, "the daemon to be stuck", func() bool { return blocked(s.State().PID) })
	fed := s.alive.Load() + 4 // one each second
	waitFor(t, "the watchdog to be fed", func() bool { return s.alive.Load() >= fed })
	if !blocked(s.State().PID) {
		t.Error("the request is not stuck any more: nothing was tested")
	}
	mustRead(t, d.path("proc/uptime"))
	release()
	waitFor(t, "the container to be served again", func() bool { return field(t, b.run("cat /proc/meminfo"), "MemTotal:") == 524288 })
	if state := s.State(); state.Starts != 1 || strings.Contains(s.log.String(), "self-check") {
		t.Errorf("%d starts, want 1; lxcfs said:\n%s", state.Starts, s.log)
	}
}
