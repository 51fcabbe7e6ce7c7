//go:build integration

package integration

import (
	native "encoding/binary"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// opens watches a mount for files that are opened, fanotify(7).
type opens struct {
	t  *testing.T
	fd int
}

func watchOpens(t *testing.T, mountpoint string) *opens {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_NONBLOCK|unix.FAN_CLOEXEC|unix.FAN_UNLIMITED_QUEUE, unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		t.Skipf("needs fanotify; have: %v", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	const events = unix.FAN_OPEN | unix.FAN_ONDIR
	if err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD|unix.FAN_MARK_MOUNT, events, unix.AT_FDCWD, mountpoint); err != nil {
		t.Fatalf("watch %s: %v", mountpoint, err)
	}
	return &opens{t, fd}
}

// pids returns who opened files since the last call.
func (o *opens) pids() map[int]bool {
	o.t.Helper()
	pids := make(map[int]bool)
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(o.fd, buf)
		if err == unix.EAGAIN {
			return pids
		}
		if err != nil {
			o.t.Fatal(err)
		}
		for event := buf[:n]; len(event) >= unix.FAN_EVENT_METADATA_LEN; {
			pids[int(int32(native.NativeEndian.Uint32(event[20:])))] = true
			unix.Close(int(int32(native.NativeEndian.Uint32(event[16:]))))
			event = event[native.NativeEndian.Uint32(event):]
		}
	}
}

// No process of ours opens a file on a mount of ours: a daemon that waits for
// itself can't be killed, and its successor never starts.
func TestNobodyOfOursReads(t *testing.T) {
	d := start(t, "--keeper")
	b := newBox(t, d, limits{memory: "536870912"}, nil)
	watch := watchOpens(t, d.dir)
	ours := map[int]bool{d.cmd.Process.Pid: true}
	all := make(map[int]bool)
	exercise := func() {
		for range 5 {
			if err := exec.Command("cat", d.path("proc/meminfo"), d.path("proc/stat")).Run(); err != nil {
				t.Errorf("cat: %v", err)
			}
			b.run("cat /proc/uptime /proc/loadavg")
		}
		ours[d.worker()] = true
		for pid := range watch.pids() {
			all[pid] = true
		}
	}
	exercise()
	for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGUSR2} {
		d.cmd.Process.Signal(sig)
		exercise()
	}
	old := d.worker()
	syscall.Kill(old, syscall.SIGKILL)
	waitFor(t, "a new worker", func() bool { w := d.worker(); return w != 0 && w != old })
	exercise()
	if len(all) < 5 {
		t.Errorf("%d processes were seen to open files: the watch does not work", len(all))
	}
	for pid := range ours {
		if all[pid] {
			t.Errorf("process %d of lxcfs opened a file of its own mount", pid)
		}
	}
}
