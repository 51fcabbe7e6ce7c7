//go:build integration

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Each signal that ends lxcfs unmounts, removes the pid file and leaves status 0.
func TestSignalsThatEnd(t *testing.T) {
	for _, options := range [][]string{nil, {"--keeper"}} {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
			t.Run(strings.Join(options, "")+sig.String(), func(t *testing.T) {
				d := start(t, options...)
				if _, err := os.Stat(d.pidfile); err != nil {
					t.Error(err)
				}
				if status := d.stop(sig); status != 0 {
					t.Errorf("exit status %d, want 0", status)
				}
				if strings.Contains(ourMounts(), d.dir) {
					t.Error("still mounted")
				}
				if _, err := os.Stat(d.pidfile); !os.IsNotExist(err) {
					t.Errorf("pid file: %v, want it removed", err)
				}
			})
		}
	}
}

// Unmounted by somebody else, lxcfs ends with status 0.
func TestUnmountedOutside(t *testing.T) {
	for _, options := range [][]string{nil, {"--keeper"}} {
		t.Run(strings.Join(options, ""), func(t *testing.T) {
			d := start(t, options...)
			waitFor(t, "the mount to be idle", func() bool { return syscall.Unmount(d.dir, 0) == nil })
			if status := d.wait(); status != 0 {
				t.Errorf("exit status %d, want 0", status)
			}
		})
	}
}

// SIGUSR2 makes every file the host's, and a second one the container's again.
func TestVirtualisationOff(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "268435456", cpus: "0"}, nil)
	host := field(t, mustRead(t, "/proc/meminfo"), "MemTotal:")
	total := func() uint64 { return field(t, b.run("cat /proc/meminfo"), "MemTotal:") }
	online := strings.TrimSpace(mustRead(t, "/sys/devices/system/cpu/online"))
	if total() == host {
		t.Fatal("the container sees the host from the start")
	}
	d.cmd.Process.Signal(syscall.SIGUSR2)
	waitFor(t, "the host's numbers", func() bool { return total() == host })
	if got := strings.TrimSpace(b.run("cat /sys/devices/system/cpu/online")); got != online {
		t.Errorf("online: got %q, want the host's %q", got, online)
	}
	d.cmd.Process.Signal(syscall.SIGUSR2)
	waitFor(t, "the container's numbers", func() bool { return total() == 262144 })
}

// Of two instances with one pid file the second refuses, and leaves the file of
// the first alone.
func TestPidfileIsLocked(t *testing.T) {
	d := start(t)
	out, err := exec.Command(binary, "-p", d.pidfile, t.TempDir()).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		t.Errorf("second instance: %v, want status 1", err)
	}
	if !strings.Contains(string(out), "locked by another lxcfs") {
		t.Errorf("second instance says %q", out)
	}
	if text := mustRead(t, d.pidfile); strings.TrimSpace(text) == "" {
		t.Error("the pid file is empty")
	}
}

// Nothing is mounted over what is mounted; a dead mount of ours is replaced.
func TestMountpointInUse(t *testing.T) {
	t.Run("alive", func(t *testing.T) {
		d := start(t)
		out, _ := exec.Command(binary, "-p", filepath.Join(t.TempDir(), "pid"), d.dir).CombinedOutput()
		if !strings.Contains(string(out), "already mounted") {
			t.Errorf("second instance says %q", out)
		}
	})
	t.Run("foreign", func(t *testing.T) {
		needRoot(t)
		dir := t.TempDir()
		if err := syscall.Mount("none", dir, "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
		out, _ := exec.Command(binary, "-p", filepath.Join(t.TempDir(), "pid"), dir).CombinedOutput()
		if !strings.Contains(string(out), "not ours to replace") {
			t.Errorf("lxcfs says %q", out)
		}
	})
	t.Run("dead", func(t *testing.T) {
		d := start(t)
		d.cmd.Process.Kill()
		<-d.ended
		d.ended <- nil
		os.Remove(d.pidfile)
		if _, err := os.ReadFile(d.path("proc/meminfo")); err == nil {
			t.Fatal("the mount of a killed classic lxcfs is alive")
		}
		d.run()
		d.waitServing()
		if n := strings.Count(ourMounts(), " "+d.dir+" "); n != 1 {
			t.Errorf("%d mounts at the mountpoint, want 1:\n%s", n, ourMounts())
		}
	})
}

func TestCommandLine(t *testing.T) {
	needRoot(t)
	for _, tt := range []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"help", []string{"--help"}, 0, "--enable-cfs", ""},
		{"help, short", []string{"-h"}, 0, "MOUNTPOINT", ""},
		{"version", []string{"-v"}, 0, "0.1.0", ""},
		{"no mountpoint", nil, 64, "", "no mountpoint given"},
		{"two mountpoints", []string{"/a", "/b"}, 64, "", "more than one mountpoint"},
		{"unknown option", []string{"--enable-magic", "/a"}, 64, "", "unknown flag: --enable-magic"},
		{"unknown mount option", []string{"-o", "magic", "/a"}, 64, "", "magic"},
		{"wrong policy", []string{"-o", "cpu=all", "/a"}, 64, "", "cpu=auto, cpu=cpuset, cpu=quota"},
		{"debug and foreground", []string{"-d", "-f", "/a"}, 64, "", "exclude each other"},
		{"no such mountpoint", []string{"-p", filepath.Join(t.TempDir(), "p"), "/nonexistent/x"}, 69, "", "/nonexistent"},
		{"pid file in no directory", []string{"-p", "/nonexistent/p", "/tmp"}, 1, "", "pid file"},
		{"worker by hand", []string{"--worker", "/a"}, 1, "", "for the keeper"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			cmd := exec.Command(binary, tt.args...)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != tt.status {
				t.Errorf("exit status %d, want %d; %s", got, tt.status, &stderr)
			}
			if !strings.Contains(stdout.String(), tt.stdout) || tt.stdout == "" && stdout.Len() > 0 {
				t.Errorf("stdout %q, want %q", &stdout, tt.stdout)
			}
			if !strings.Contains(stderr.String(), tt.stderr) || tt.stderr == "" && stderr.Len() > 0 {
				t.Errorf("stderr %q, want %q", &stderr, tt.stderr)
			}
		})
	}
}

// Everything that runtimes and scripts pass to the C lxcfs is accepted.
func TestClassicOptions(t *testing.T) {
	d := start(t, "-f", "-s", "-l", "-u", "--enable-cfs", "--enable-pidfd", "--enable-psi-poll", "--disable-zswap",
		"--runtime-dir="+t.TempDir(), "-o", "allow_other,direct_io,entry_timeout=0.5,attr_timeout=0.5,nonempty")
	b := newBox(t, d, limits{memory: "268435456", quota: "100000"}, nil)
	if got := field(t, b.run("cat /proc/meminfo"), "SwapTotal:"); got != 0 {
		t.Errorf("SwapTotal %d kB with -u, want 0", got)
	}
	if got := strings.TrimSpace(b.run("cat /sys/devices/system/cpu/online")); got != "0" {
		t.Errorf("online %q with --enable-cfs and one CPU's quota, want 0", got)
	}
}

// A program stopped in the middle of a read is no reason for a busy daemon: the
// interrupt of its read is answered once.
func TestInterruptedReader(t *testing.T) {
	d := start(t)
	for range 50 {
		cmd := exec.Command("cat", d.path("proc/cpuinfo"), d.path("proc/stat"), d.path("proc/meminfo"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
	}
	mustRead(t, d.path("proc/meminfo"))
}
