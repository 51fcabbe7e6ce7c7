//go:build integration

package integration

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// tool builds another command of the module, once, and returns its path.
func tool(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(binary), name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.Command("go", "build", "-o", path, "linuxcontainers.org/lxcfs/cmd/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is shipped
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build of %s: %v\n%s", name, err, out)
	}
	return path
}

// bare starts a container of another runtime's: namespaces, and nothing bound.
func bare(t *testing.T, options ...string) *box {
	t.Helper()
	needRoot(t)
	b := &box{t: t, name: t.Name()}
	t.Cleanup(b.remove)
	args := append([]string{"--pid", "--fork", "--kill-child", "--mount", "--mount-proc"}, options...)
	b.cmd = exec.Command("unshare", append(args, "sh")...)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b.cmd.Stderr = os.Stderr
	var err error
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	b.out = bufio.NewReader(out)
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(b.run("echo $$")); got != "1" {
		t.Fatalf("the container's shell has pid %q, want 1", got)
	}
	return b
}

// init is the host's pid of the container's init, the child of unshare.
func (b *box) init() string {
	b.t.Helper()
	pid := strconv.Itoa(b.cmd.Process.Pid)
	children := strings.Fields(mustRead(b.t, "/proc/"+pid+"/task/"+pid+"/children"))
	if len(children) != 1 {
		b.t.Fatalf("children of unshare: %q", children)
	}
	return children[0]
}

// mounts lists where lxcfs is mounted in the container.
func (b *box) mounts() string {
	b.t.Helper()
	var points []string
	for line := range strings.Lines(mustRead(b.t, "/proc/"+b.init()+"/mountinfo")) {
		if strings.Contains(line, " fuse.lxcfs ") && !strings.Contains(line, " / ") { // not those of the host's own
			points = append(points, strings.Fields(line)[4])
		}
	}
	return strings.Join(points, " ")
}

// lxcfsctl runs it and returns what it says.
func lxcfsctl(t *testing.T, d *daemon, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(tool(t, "lxcfsctl"), append(args, "--mountpoint", d.dir)...).CombinedOutput()
	return string(out), err
}

func mustLxcfsctl(t *testing.T, d *daemon, args ...string) string {
	t.Helper()
	out, err := lxcfsctl(t, d, args...)
	if err != nil {
		t.Fatalf("lxcfsctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func wants(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			t.Errorf("got %q, want %q in it", got, p)
		}
	}
}

// uptime is what the container's uptime says, seconds.
func (b *box) uptime() float64 {
	b.t.Helper()
	text := b.run("cat /proc/uptime")
	seconds, err := strconv.ParseFloat(strings.Split(text, " ")[0], 64)
	if err != nil {
		b.t.Fatalf("uptime %q: %v", text, err)
	}
	return seconds
}

// A container that runs already gets the files, with every kind of namespace
// that it may have, and loses them again.
func TestAttach(t *testing.T) {
	d := start(t)
	for _, tt := range []struct {
		name    string
		options []string
	}{
		{"no user namespace", nil},
		{"a user namespace", []string{"--user", "--map-root-user"}},
		{"mounts that propagate below", []string{"--propagation", "slave"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := bare(t, tt.options...)
			pid := b.init()
			wants(t, mustLxcfsctl(t, d, "attach", "--dry-run", pid), "attached", "attach   /proc/uptime")
			if got := b.mounts(); got != "" {
				t.Fatalf("a dry run mounted %s", got)
			}
			wants(t, mustLxcfsctl(t, d, "attach", pid), "process "+pid+": ", " attached")
			wants(t, b.mounts(), "/proc/uptime", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu")
			before := b.mounts()
			again := mustLxcfsctl(t, d, "attach", "-v", pid)
			wants(t, again, "attached already", "keep     /proc/uptime")
			if got := b.mounts(); got != before {
				t.Errorf("attached again, got %s, want %s", got, before)
			}
			if up := b.uptime(); up > 3600 {
				t.Errorf("uptime is %v s, which must be the host's", up)
			}
			wants(t, b.run("head -c 9 /proc/meminfo"), "MemTotal:")
			mustLxcfsctl(t, d, "detach", pid)
			if got := b.mounts(); got != "" {
				t.Errorf("detached, still mounted: %s", got)
			}
			wants(t, mustLxcfsctl(t, d, "detach", pid), "nothing to do")
		})
	}
}

// The files of an lxcfs that died are replaced, and those of one that lives
// only on demand.
func TestAttachReplaces(t *testing.T) {
	old, d := start(t), start(t)
	for _, options := range [][]string{nil, {"--user", "--map-root-user"}} {
		b := bare(t, options...)
		pid := b.init()
		mustLxcfsctl(t, old, "attach", pid)
		before := b.mounts()
		wants(t, mustLxcfsctl(t, d, "attach", "-v", pid), "left alone", "another lxcfs that is alive")
		mustLxcfsctl(t, d, "attach", "--replace", pid)
		if got := b.mounts(); got != before {
			t.Errorf("replaced: got %s, want %s", got, before)
		}
		mustLxcfsctl(t, old, "attach", "--replace", pid)
	}
	b := bare(t)
	pid := b.init()
	mustLxcfsctl(t, old, "attach", pid)
	b.run("mkdir -p " + t.TempDir() + " && mount --bind " + old.dir + " /mnt") // as a container that has containers
	before := b.mounts()
	old.stop(syscall.SIGKILL)
	wants(t, b.run("cat /proc/meminfo"), "not connected")
	wants(t, mustLxcfsctl(t, d, "attach", "--dry-run", pid), "replaced", "replace  /proc/meminfo", "replace  /mnt")
	wants(t, b.run("cat /proc/meminfo"), "not connected")
	wants(t, mustLxcfsctl(t, d, "attach", pid), "replaced")
	if got := b.mounts(); got != before {
		t.Errorf("got %s, want %s", got, before)
	}
	wants(t, b.run("head -c 9 /proc/meminfo"), "MemTotal:")
	wants(t, b.run("head -c 9 /mnt/proc/meminfo"), "MemTotal:")
	wants(t, mustLxcfsctl(t, d, "attach", pid), "attached already")
}

// What a container has mounted over its files stays.
func TestAttachLeavesOthersMounts(t *testing.T) {
	d := start(t)
	b := bare(t)
	b.run("mount --bind /proc/version /proc/meminfo; mount -t tmpfs none /sys/devices/system/cpu")
	wants(t, mustLxcfsctl(t, d, "attach", "-v", b.init()), "/proc/meminfo: proc is mounted over it", "/sys/devices/system/cpu: tmpfs is mounted over it")
	wants(t, b.run("cat /proc/meminfo"), "Linux version")
}

func TestAttachRefuses(t *testing.T) {
	d := start(t)
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, target, want string
	}{
		{"the host", strconv.Itoa(os.Getpid()), "host's mount namespace"},
		{"a process that ended", strconv.Itoa(ended.Process.Pid), "no such process"},
		{"an unknown name", "no-such-container", "no such container"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if out, err := lxcfsctl(t, d, "attach", tt.target); err == nil || !strings.Contains(out, tt.want) {
				t.Errorf("got %v, %q, want %q", err, out, tt.want)
			}
		})
	}
	t.Run("without lxcfs", func(t *testing.T) {
		b := bare(t)
		out, err := exec.Command(tool(t, "lxcfsctl"), "attach", b.init(), "--mountpoint", t.TempDir()).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "no lxcfs is mounted") {
			t.Errorf("got %v, %q", err, out)
		}
	})
	t.Run("the daemon's namespace", func(t *testing.T) {
		dir := t.TempDir()
		cmd := exec.Command("unshare", "--mount", binary, "-p", filepath.Join(dir, "pid"), dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { cmd.Process.Signal(syscall.SIGTERM); cmd.Wait() }()
		pid := strconv.Itoa(cmd.Process.Pid)
		waitFor(t, "lxcfs in its namespace", func() bool {
			comm, _ := os.ReadFile("/proc/" + pid + "/comm")
			return string(comm) == "lxcfs\n"
		})
		if out, err := lxcfsctl(t, d, "attach", pid); err == nil || !strings.Contains(out, "namespace of the lxcfs daemon") {
			t.Errorf("got %v, %q", err, out)
		}
	})
}

// A root directory with /proc and /sys as a runtime makes it, in a mount
// namespace of its own, for a hook to work on. It prints what is mounted then.
const hookStage = `set -eu
mkdir -p "$1/proc" "$1/sys" "$1/var/lib/lxcfs"
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
%s
grep ' fuse.lxcfs ' /proc/self/mountinfo | cut -d' ' -f5 | grep "^$1/" | sed "s|^$1||"
head -c 9 "$1/proc/meminfo"`

func runHook(t *testing.T, hook, root string, args ...string) string {
	t.Helper()
	args = append([]string{"--mount", "sh", "-c", fmt.Sprintf(hookStage, hook), "sh", root}, args...)
	out, err := exec.Command("unshare", args...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

func TestLXCHook(t *testing.T) {
	d := start(t)
	hook, err := filepath.Abs("../../hooks/lxc/lxc.mount.hook")
	if err != nil {
		t.Fatal(err)
	}
	out := runHook(t, `LXC_NAME=c1 LXC_ROOTFS_MOUNT=$1 LXCFS_MOUNTPOINT=$2 sh "$3" c1 lxc mount`, t.TempDir(), d.dir, hook)
	wants(t, out, "/proc/meminfo\n", "/proc/uptime\n", "/sys/devices/system/cpu", "/var/lib/lxcfs\n", "MemTotal:")
}

func TestOCIHook(t *testing.T) {
	d := start(t)
	bundle := t.TempDir()
	state := fmt.Sprintf(`{"ociVersion":"1.2.0","id":"c1","status":"creating","pid":1,"bundle":%q}`, bundle)
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(`{"root":{"path":"rootfs"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	// Twice: what a volume or an earlier hook bound is not bound again.
	run := `for i in 1 2; do echo "$3" | LXCFS_MOUNTPOINT=$2 "$4"; done`
	out := runHook(t, run, filepath.Join(bundle, "rootfs"), d.dir, state, tool(t, "lxcfs-oci-hook"))
	wants(t, out, "/proc/meminfo\n", "/proc/uptime\n", "/sys/devices/system/cpu", "MemTotal:")
	if n := strings.Count(out, "/proc/meminfo\n"); n != 1 {
		t.Errorf("meminfo bound %d times:\n%s", n, out)
	}
}

// As Incus starts one lxcfs for each instance.
func TestOneLxcfsForEachInstance(t *testing.T) {
	needRoot(t)
	run, dir := t.TempDir(), t.TempDir()
	d := &daemon{t: t, dir: dir, pidfile: filepath.Join(run, "lxcfs.pid")}
	var err error
	if d.log.File, err = os.Create(filepath.Join(run, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.log.Close() })
	d.run("-f", "--runtime-dir", filepath.Join(run, "lxcfs"))
	d.waitServing()
	wants(t, mustRead(t, d.pidfile), strconv.Itoa(d.cmd.Process.Pid))
	if status := d.stop(syscall.SIGTERM); status != 0 {
		t.Errorf("got status %d, want 0", status)
	}
}
