//go:build integration

package integration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the lxcfs under test, helper its mount helper, ctl its lxcfsctl;
// TestMain builds them.
var binary, helper, ctl string

func TestMain(m *testing.M) {
	if os.Getenv(clientVariable) != "" {
		os.Exit(clientMain())
	}
	if os.Getenv(refuseEnv) != "" {
		fmt.Fprintln(os.Stderr, refuseMain())
		os.Exit(1)
	}
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	for env, helper := range map[string]func(args string) error{mapperEnv: mapFile, pollerEnv: pollFile, tablesEnv: tryTables, idlerEnv: idleFile} {
		args := os.Getenv(env)
		if args == "" {
			continue
		}
		if err := helper(args); err != nil {
			fmt.Println(err)
			return 1
		}
		return 0
	}
	if os.Getuid() != 0 {
		fmt.Println("integration tests need root; have: uid", os.Getuid())
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "it")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary, helper, ctl = filepath.Join(dir, "lxcfs"), filepath.Join(dir, "mount.fuse.lxcfs"), filepath.Join(dir, "lxcfsctl")
	for _, out := range []string{binary, helper, ctl} {
		if err := build(out, filepath.Base(out)); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	if err := errors.Join(os.Chmod(dir, 0o711), os.Setenv("TMPDIR", dir)); err != nil { // a test runs a service as another user
		fmt.Println(err)
		return 1
	}
	status := m.Run()
	if left := ourMounts(); strings.Contains(left, " "+dir+"/") {
		fmt.Printf("mounts left behind:\n%s", left)
		return 1
	}
	return status
}

// build builds a command.
func build(out, name string, args ...string) error {
	args = append([]string{"build", "-o", out}, args...)
	if raceEnabled {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "linuxcontainers.org/lxcfs/cmd/"+name)...)
	if !raceEnabled {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is shipped
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", name, err, text)
	}
	return nil
}

// ourMounts lists the lxcfs mounts of this namespace.
func ourMounts() string {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err.Error()
	}
	var ours strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, " fuse.lxcfs ") {
			ours.WriteString(line)
		}
	}
	return ours.String()
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skipf("needs root; have: uid %d", os.Getuid())
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skipf("needs /dev/fuse; have: %v", err)
	}
}

// daemon is a running lxcfs.
type daemon struct {
	t       *testing.T
	program string // "": binary
	dir     string // its mountpoint
	pidfile string
	cmd     *exec.Cmd
	log     output
	ended   chan error
}

// output is a file that processes print into: a pipe would keep Wait waiting
// for a worker that outlives its keeper.
type output struct{ *os.File }

// String returns what was printed so far.
func (o output) String() string {
	text, err := os.ReadFile(o.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// patience bounds each wait for something that happens at once on a machine
// that is not busy.
const patience = 60 * time.Second

// start runs lxcfs with these options and waits until it serves.
func start(t *testing.T, options ...string) *daemon {
	t.Helper()
	return startProgram(t, binary, options...)
}

func startProgram(t *testing.T, program string, options ...string) *daemon {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	d := &daemon{t: t, program: program, dir: filepath.Join(dir, "mnt"), pidfile: filepath.Join(dir, "lxcfs.pid")}
	var err error
	if d.log.File, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.log.Close() })
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d.run(options...)
	d.waitServing()
	return d
}

// run starts the process; the mount and the process are gone after the test.
func (d *daemon) run(options ...string) {
	d.t.Helper()
	d.cmd = exec.Command(cmp.Or(d.program, binary), append(options, "-p", d.pidfile, d.dir)...)
	d.cmd.Stdout, d.cmd.Stderr = d.log.File, d.log.File
	d.cmd.Env = daemonEnv()
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.ended = make(chan error, 1)
	go func(cmd *exec.Cmd, ended chan error) { ended <- cmd.Wait() }(d.cmd, d.ended)
	d.t.Cleanup(d.clean)
}

// daemonEnv is the environment of a daemon under test. LXCFS_TEST_GOMAXPROCS is
// the number of processors it may use; the test itself keeps all.
func daemonEnv() []string {
	env := os.Environ()
	if n := os.Getenv("LXCFS_TEST_GOMAXPROCS"); n != "" {
		env = append(env, "GOMAXPROCS="+n)
	}
	return env
}

func (d *daemon) clean() {
	select {
	case err := <-d.ended:
		d.ended <- err
	default:
		d.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-d.ended:
			d.ended <- err
		case <-time.After(patience):
			d.t.Errorf("lxcfs (pid %d) did not stop", d.cmd.Process.Pid)
			d.cmd.Process.Kill()
		}
	}
	syscall.Unmount(d.dir, syscall.MNT_DETACH)
	if d.t.Failed() {
		d.t.Logf("lxcfs said:\n%s", d.log)
	}
	if strings.Contains(d.log.String(), "DATA RACE") {
		d.t.Errorf("data race:\n%s", d.log)
	}
}

// path returns the path of a served file.
func (d *daemon) path(file string) string { return filepath.Join(d.dir, file) }

func (d *daemon) waitServing() {
	d.t.Helper()
	waitFor(d.t, "lxcfs to serve", func() bool {
		select {
		case err := <-d.ended:
			d.ended <- err
			d.t.Fatalf("lxcfs ended: %v\n%s", err, d.log)
		default:
		}
		return strings.Contains(ourMounts(), " "+d.dir+" ") && readable(d.path("proc/uptime"))
	})
}

// readable reads a file in a child, which can be left behind when it hangs.
func readable(path string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, "cat", path).Run() == nil
}

// signal sends a signal to the process and, for one that ends it, returns its
// exit status.
func (d *daemon) stop(sig syscall.Signal) int {
	d.t.Helper()
	d.cmd.Process.Signal(sig)
	return d.wait()
}

func (d *daemon) wait() int {
	d.t.Helper()
	select {
	case err := <-d.ended:
		d.ended <- err
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		return 0
	case <-time.After(patience):
		d.t.Fatal("lxcfs did not end")
		return -1
	}
}

// worker returns the pid of a keeper's worker, 0 while there is none.
func (d *daemon) worker() int {
	pid := strconv.Itoa(d.cmd.Process.Pid)
	tasks, _ := filepath.Glob("/proc/" + pid + "/task/*/children")
	for _, f := range tasks {
		text, _ := os.ReadFile(f)
		for _, child := range strings.Fields(string(text)) {
			cmdline, _ := os.ReadFile("/proc/" + child + "/cmdline")
			if strings.Contains(string(cmdline), "--worker") {
				n, _ := strconv.Atoi(child)
				return n
			}
		}
	}
	return 0
}

// waitFor waits until the condition holds.
func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
