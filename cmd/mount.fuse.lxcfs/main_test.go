package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/units/mount"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount")
	}
	if _, err := os.Stat(mount.Device); err != nil {
		t.Skipf("needs %s; have: %v", mount.Device, err)
	}
}

// build makes the real program.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "mount.fuse.lxcfs")
	cmd := exec.Command("go", "build", "-ldflags=-X main.version=9.8", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is shipped
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// mountpoint is a directory that is free again at the end.
func mountpoint(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 4 {
			mount.Detach(dir)
		}
	})
	return dir
}

func lineOf(t *testing.T, dir string) string {
	t.Helper()
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, " "+dir+" ") {
			return line
		}
	}
	return ""
}

// daemon listens and gives each request to handle.
func daemon(t *testing.T, handle func(mount.Request) error) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "mount.sock")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: socket}), unix.Listen(fd, 8)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s := mount.Server{Handle: func(_ context.Context, r mount.Request) error { return handle(r) }}
	go func() {
		defer close(done)
		if err := s.Serve(ctx, fd); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		unix.Close(fd)
	})
	return socket
}

func run(t *testing.T, socket, program string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "LXCFS_MOUNT_SOCKET="+socket)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}

func TestHelper(t *testing.T) {
	needRoot(t)
	program := build(t)
	dir := mountpoint(t)
	requests := make(chan mount.Request, 1)
	missing := filepath.Join(t.TempDir(), "none")
	accept := daemon(t, func(r mount.Request) error {
		if r.Failed == nil {
			requests <- r
		}
		return nil
	})
	refuse := daemon(t, func(r mount.Request) error {
		unix.Close(r.FD)
		return errors.New(`wrong mount options: unknown option "bogus"`)
	})
	for _, tt := range []struct {
		name, socket string
		args         []string
		status       int
		stdout       string
		stderr       string // whole, without the program's name
	}{
		{"help", accept, []string{"--help"}, 0, "Usage: mount.fuse.lxcfs SOURCE", ""},
		{"version", accept, []string{"--version"}, 0, "mount.fuse.lxcfs 9.8\n", ""},
		{"usage", accept, []string{"lxcfs"}, 1, "", "want a source and a mountpoint, got 1 names; see mount.fuse.lxcfs --help\n"},
		{"fake", accept, []string{"lxcfs", dir, "-f"}, 0, "", ""},
		{"no daemon", missing, []string{"lxcfs", dir}, 32, "", "no lxcfs daemon listens on " + missing + " (is lxcfs.socket started?)\n"},
		{"refused", refuse, []string{"lxcfs", dir, "-o", "rw,bogus"}, 32, "", "the lxcfs daemon refuses " + dir + ": wrong mount options: unknown option \"bogus\"\n"},
		{"no mountpoint", accept, []string{"lxcfs", dir + "/none"}, 32, "", "readlink " + dir + "/none: no such file or directory\n"},
		{"not ours", accept, []string{"lxcfs", "/proc"}, 32, "", "/proc: already mounted: a filesystem of type proc, which is not ours to replace\n"},
		{"remount of nothing", accept, []string{"lxcfs", dir, "-o", "remount,ro"}, 32, "", dir + " is not an lxcfs mount, so it cannot be remounted\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := run(t, tt.socket, program, tt.args...)
			want := tt.stderr
			if want != "" {
				want = "mount.fuse.lxcfs: " + want
			}
			if status != tt.status || !strings.HasPrefix(stdout, tt.stdout) || stderr != want {
				t.Errorf("got %d %q %q, want %d %q %q", status, stdout, stderr, tt.status, tt.stdout, want)
			}
			if line := lineOf(t, dir); line != "" {
				t.Errorf("left mounted: %s", line)
			}
		})
	}
	testMounted(t, program, accept, dir, requests)
}

// testMounted goes through the life of one mount: made, in use, remounted, dead,
// replaced.
func testMounted(t *testing.T, program, socket, dir string, requests <-chan mount.Request) {
	status, _, stderr := run(t, socket, program, "lxcfs", dir, "-o", "rw,nosuid,cpu=quota,x-y,noswap")
	if status != 0 || stderr != "" {
		t.Fatalf("got %d %q", status, stderr)
	}
	r := <-requests
	line := lineOf(t, dir)
	if !strings.Contains(line, "rw,nosuid,nodev,noexec,relatime") || !strings.Contains(line, " - fuse.lxcfs lxcfs ") ||
		!strings.Contains(line, "group_id=0,allow_other") {
		t.Errorf("mounted as %s", line)
	}
	if r.Options != "cpu=quota,noswap" || r.Mountpoint != dir || r.Connection == 0 || r.Connection != connectionAt(dir) {
		t.Errorf("got %+v", r)
	}
	status, _, stderr = run(t, socket, program, "lxcfs", dir)
	if status != 32 || !strings.Contains(stderr, "already mounted: lxcfs, and its connection is alive") {
		t.Errorf("a second time: got %d %q", status, stderr)
	}
	status, _, stderr = run(t, socket, program, "lxcfs", dir, "-o", "remount,ro,cpu=quota")
	if line := lineOf(t, dir); status != 0 || !strings.Contains(line, " ro,nosuid") {
		t.Errorf("remount: got %d %q, mounted as %s", status, stderr, line)
	}
	unix.Close(r.FD) // the daemon and its store are gone
	status, _, stderr = run(t, socket, program, "lxcfs", dir)
	if status != 0 {
		t.Fatalf("over a dead mount: got %d %q", status, stderr)
	}
	again := <-requests
	defer testDetachDead(t, program, socket, dir, again.FD)
	table, err := mount.ReadTable(hostfile.OS{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range table {
		if e.MountPoint == dir {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d mounts at %s, want the dead one replaced", n, dir)
	}
}

// testDetachDead: a mount whose connection lives is left alone, a dead one is
// taken away, and nothing is no mistake.
func testDetachDead(t *testing.T, program, socket, dir string, fd int) {
	for _, mounted := range []bool{true, false, false} {
		if !mounted {
			unix.Close(fd)
			fd = -1
		}
		status, _, stderr := run(t, socket, program, "--detach-dead", dir)
		if line := lineOf(t, dir); status != 0 || stderr != "" || (line != "") != mounted {
			t.Errorf("--detach-dead: got %d %q, mounted as %q, want mounted %v", status, stderr, line, mounted)
		}
	}
}

// A daemon is told of a mount that can't be made, with the words that the helper
// itself has for it; what is alive in its place and not the daemon's leaves a file
// for the service manager until it is gone.
func TestDaemonIsTold(t *testing.T) {
	needRoot(t)
	program := build(t)
	dir := mountpoint(t)
	told := make(chan mount.Request, 1)
	answers := make(chan error, 1)
	socket := daemon(t, func(r mount.Request) error {
		if r.Failed == nil {
			return unix.Close(r.FD)
		}
		told <- r
		return <-answers
	})
	foreign := filepath.Join(filepath.Dir(socket), "foreign")
	left := func() string {
		content, err := os.ReadFile(foreign)
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		return string(content)
	}
	if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	sentence := dir + ": already mounted: a filesystem of type tmpfs, which is not ours to replace"
	for _, tt := range []struct {
		name   string
		args   []string
		owner  error
		status int
		told   string
		left   string
	}{
		{"mount", []string{"lxcfs", dir}, errors.New("noted"), 32, sentence, ""},
		{"mount where there is nothing", []string{"lxcfs", dir + "/none"}, nil, 32, "readlink " + dir + "/none: no such file or directory", ""},
		{"heal", []string{"--detach-dead", dir}, errors.New("noted"), 0, sentence, sentence + "\n"},
		{"heal, it is the daemon's", []string{"--detach-dead", dir}, nil, 0, sentence, ""},
	} {
		answers <- tt.owner
		status, _, stderr := run(t, socket, program, tt.args...)
		if status != tt.status {
			t.Errorf("%s: got %d %q, want %d", tt.name, status, stderr, tt.status)
		}
		select {
		case r := <-told:
			if r.Failed.Error() != tt.told || r.FD != -1 || r.Mountpoint != tt.args[1] || r.Connection != 0 {
				t.Errorf("%s: told %+v, want %q", tt.name, r, tt.told)
			}
		default:
			t.Errorf("%s: the daemon was not told", tt.name)
		}
		if got := left(); got != tt.left {
			t.Errorf("%s: left %q, want %q", tt.name, got, tt.left)
		}
	}
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mount.Detach(dir)
	if status, _, stderr := run(t, socket, program, "--detach-dead", dir); status != 0 || left() != "" {
		t.Errorf("heal where nothing is mounted: got %d %q, left %q", status, stderr, left())
	}
	if _, err := os.Stat(foreign); !os.IsNotExist(err) {
		t.Errorf("the file of an earlier time: %v, want it removed", err)
	}
}

// A daemon that says nothing is waited for only so long, and SIGTERM ends the
// wait; both take the mount away.
func TestHelperWaits(t *testing.T) {
	needRoot(t)
	dir := mountpoint(t)
	socket := daemon(t, func(r mount.Request) error {
		time.Sleep(300 * time.Millisecond)
		return unix.Close(r.FD)
	})
	h := helper{socket: socket, timeout: 50 * time.Millisecond, probe: mount.ProbeChild(time.Second)}
	err := h.run(context.Background(), []string{"lxcfs", dir})
	var se *statusError
	if !errors.As(err, &se) || se.status != exitMount || err.Error() != dir+": the lxcfs daemon did not answer in time" {
		t.Errorf("timeout: got %v", err)
	}
	if line := lineOf(t, dir); line != "" {
		t.Errorf("left mounted: %s", line)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	h.timeout = 10 * time.Second
	err = h.run(ctx, []string{"lxcfs", dir})
	if !errors.As(err, &se) || se.status != exitInterrupt || err.Error() != "interrupted" {
		t.Errorf("interrupt: got %v", err)
	}
	if line := lineOf(t, dir); line != "" {
		t.Errorf("left mounted: %s", line)
	}
}

// A mount that hides the daemon's socket: connecting through it would block.
func TestMountOverTheSocket(t *testing.T) {
	needRoot(t)
	var r mount.Request
	socket := daemon(t, func(got mount.Request) error { r = got; return nil })
	t.Cleanup(func() { mount.Detach(filepath.Dir(socket)) })
	h := helper{socket: socket, timeout: 5 * time.Second, probe: mount.ProbeChild(time.Second)}
	if err := h.run(context.Background(), []string{"lxcfs", filepath.Dir(socket)}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(mount.Detach(filepath.Dir(socket)), unix.Close(r.FD)); err != nil {
		t.Error(err)
	}
}

// mount(8) finds the helper, passes what it should, and gives on its status. A
// tmpfs over /usr/sbin, in a mount namespace of the test's, holds the helper.
func TestThroughMount8(t *testing.T) {
	needRoot(t)
	for _, tool := range []string{"unshare", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	program := build(t)
	dir := mountpoint(t)
	script := `set -e
mount -t tmpfs sbin /usr/sbin
cp "$1" /usr/sbin/mount.fuse.lxcfs
mount -t fuse.lxcfs lxcfs "$2" -o noatime,x-test,nofail,"$3" || exit $?
grep " $2 " /proc/self/mountinfo
umount -c "$2"
`
	requests := make(chan mount.Request, 2)
	socket := daemon(t, func(r mount.Request) error {
		requests <- r
		if r.Options == "bogus" {
			unix.Close(r.FD)
			return errors.New("no such option")
		}
		return nil
	})
	status, stdout, stderr := run(t, socket, "unshare", "-m", "sh", "-c", script, "sh", program, dir, "psi-poll")
	if status != 0 || !strings.Contains(stdout, "nosuid,nodev,noexec,noatime") {
		t.Errorf("got %d %q %q", status, stdout, stderr)
	}
	last := <-requests
	if last.Options != "psi-poll" || last.Mountpoint != dir {
		t.Errorf("got %+v", last)
	}
	if alive, err := mount.ConnectionAlive(last.FD); alive || err != nil {
		t.Errorf("after umount: got %v, %v, want a broken connection", alive, err)
	}
	unix.Close(last.FD)
	status, _, stderr = run(t, socket, "unshare", "-m", "sh", "-c", script, "sh", program, dir, "bogus")
	if status != 32 || !strings.Contains(stderr, "refuses "+dir+": no such option") {
		t.Errorf("got %d %q", status, stderr)
	}
}
