//go:build integration

package integration

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// readers read every file of a mount, in as many goroutines, until stop; each
// has its own way to read. The kernel waits for the daemon, never they.
type readers struct {
	reads, failed atomic.Int64
	first         atomic.Value // string: the first failure
	stop          chan struct{}
	done          sync.WaitGroup
	moving        []atomic.Int64 // reads of each
}

func startReaders(d *daemon, n int) *readers {
	r := &readers{stop: make(chan struct{}), moving: make([]atomic.Int64, n)}
	files := []string{"proc/meminfo", "proc/stat", "proc/cpuinfo", "proc/uptime", "proc/loadavg", "proc/swaps", "proc/diskstats",
		"sys/devices/system/cpu/online"}
	for i := range n {
		r.done.Add(1)
		go func() {
			defer r.done.Done()
			for k := i; ; k++ {
				select {
				case <-r.stop:
					return
				default:
				}
				if err := readWhole(d.path(files[k%len(files)]), 1+(k*37)%5000); err != nil {
					r.failed.Add(1)
					r.first.CompareAndSwap(nil, err.Error())
				}
				r.reads.Add(1)
				r.moving[i].Add(1)
			}
		}()
	}
	return r
}

// readWhole reads a file in pieces of one size and checks what every one of
// them has: content, and a newline at its end.
func readWhole(path string, piece int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, piece)
	total, last := 0, byte(0)
	for {
		n, err := syscall.Read(int(f.Fd()), buf)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s at %d: %w", path, total, err)
		}
		if n == 0 {
			break
		}
		total, last = total+n, buf[n-1]
	}
	if total == 0 && !strings.HasSuffix(path, "diskstats") || total > 0 && last != '\n' {
		return fmt.Errorf("read %s: %d bytes, the last is %q", path, total, last)
	}
	return nil
}

// finish stops the readers; each of them must still be able to move.
func (r *readers) finish(t *testing.T) {
	t.Helper()
	for i := range r.moving {
		before := r.moving[i].Load()
		waitFor(t, fmt.Sprintf("reader %d to go on", i), func() bool { return r.moving[i].Load() > before })
	}
	close(r.stop)
	r.done.Wait()
	t.Logf("%d reads, %d failed", r.reads.Load(), r.failed.Load())
	if n := r.failed.Load(); n > 0 {
		t.Errorf("%d of %d reads failed; the first: %v", n, r.reads.Load(), r.first.Load())
	}
}

// The worker is killed hundreds of times while 40 readers read: no read fails,
// and nobody is stuck.
func TestKillWorker(t *testing.T) {
	d := start(t, "--keeper")
	fds := openFiles(d.cmd.Process.Pid)
	r := startReaders(d, 40)
	kills := 0
	for last := 0; kills < 200; {
		pid := d.worker()
		if pid == 0 || pid == last {
			time.Sleep(time.Millisecond)
			continue
		}
		// Let each worker live for another while: from its first
		// instruction to the middle of its work.
		time.Sleep(time.Duration(kills%40) * time.Millisecond)
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			kills++
		}
		last = pid
	}
	r.finish(t)
	if got := openFiles(d.cmd.Process.Pid); got > fds+3 {
		t.Errorf("the keeper had %d descriptors and has %d after %d deaths", fds, got, kills)
	}
	if status := d.stop(syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d after SIGTERM", status)
	}
}

func openFiles(pid int) int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return -1
	}
	return len(entries)
}

// SIGUSR1 takes over the binary anew, in the classic process and in a worker.
func TestReexec(t *testing.T) {
	for _, options := range [][]string{nil, {"--keeper"}} {
		t.Run(fmt.Sprint(options), func(t *testing.T) {
			d := start(t, options...)
			r := startReaders(d, 8)
			for range 30 {
				if err := d.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
					t.Fatal(err)
				}
				time.Sleep(50 * time.Millisecond)
			}
			r.finish(t)
			if status := d.stop(syscall.SIGTERM); status != 0 {
				t.Errorf("exit status %d after SIGTERM", status)
			}
		})
	}
}

// When the keeper itself is killed, its worker takes its place; also a worker that
// has been executed anew.
func TestKillKeeper(t *testing.T) {
	t.Run("worker as it was started", func(t *testing.T) { killKeeper(t, false) })
	t.Run("worker executed anew", func(t *testing.T) { killKeeper(t, true) })
}

func killKeeper(t *testing.T, anew bool) {
	d := start(t, "--keeper")
	r := startReaders(d, 4)
	worker := d.worker()
	if anew {
		if err := syscall.Kill(worker, syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the worker to be executed anew", func() bool { return strings.Count(d.log.String(), "worker ready") == 2 })
	}
	d.cmd.Process.Kill()
	<-d.ended
	d.ended <- nil
	t.Cleanup(func() {
		syscall.Kill(worker, syscall.SIGTERM)
		waitFor(t, "the successor to end", func() bool { return syscall.Kill(worker, 0) != nil })
	})
	waitFor(t, "a worker of the new keeper", func() bool {
		text, _ := os.ReadFile(d.pidfile)
		return strings.TrimSpace(string(text)) == fmt.Sprint(worker)
	})
	r.finish(t)
}

// A file that was open, and partly read, before the death of the worker is read
// to its end after it.
func TestOpenFilesOutliveTheWorker(t *testing.T) {
	d := start(t, "--keeper")
	f, err := os.Open(d.path("proc/cpuinfo"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head := make([]byte, 100)
	if _, err := f.Read(head); err != nil {
		t.Fatal(err)
	}
	rest := make([]byte, 1<<20)
	n, err := f.ReadAt(rest, 100)
	if n == 0 {
		t.Fatal(err)
	}
	want := string(rest[:n])
	old := d.worker()
	syscall.Kill(old, syscall.SIGKILL)
	waitFor(t, "a new worker", func() bool { w := d.worker(); return w != 0 && w != old })
	n, _ = f.ReadAt(rest, 100)
	if got := string(rest[:n]); got != want {
		t.Errorf("read on after the death: %d bytes, want the same %d", len(got), len(want))
	}
	var fresh [5]byte
	g, err := os.Open(d.path("proc/uptime"))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if n, err := g.Read(fresh[:]); n != 5 {
		t.Errorf("a new handle: %d bytes, %v", n, err)
	}
}

// TestKillsAndCrashes: who kills the daemon over and over takes no container's
// numbers away. A daemon that crashes three times by itself serves the host's for
// a while, by the shortest path.
func TestKillsAndCrashes(t *testing.T) {
	d := start(t, "--keeper")
	b := newBox(t, d, limits{memory: "268435456"}, nil)
	total := func() uint64 { return field(t, b.run("cat /proc/meminfo"), "MemTotal:") }
	next := func(sig syscall.Signal) {
		t.Helper()
		total() // it serves
		pid := d.worker()
		if err := syscall.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the next worker", func() bool { now := d.worker(); return now != 0 && now != pid })
	}
	for range 8 {
		next(syscall.SIGKILL)
		if got := total(); got != 262144 {
			t.Fatalf("MemTotal %d kB after a kill, want 262144", got)
		}
	}
	for range 3 {
		if got := total(); got != 262144 {
			t.Errorf("MemTotal %d kB before the third crash, want 262144", got)
		}
		next(syscall.SIGABRT) // Go's runtime prints the stacks
	}
	if got := total(); got == 262144 {
		t.Error("after three crashes in ten seconds nothing is simpler than before")
	}
}
