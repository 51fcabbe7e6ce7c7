package container

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// resolveEnv makes the test binary a resolver of the tids in it: the way to run
// one with no privilege at all.
const resolveEnv = "LXCFS_TEST_RESOLVE"

func TestMain(m *testing.M) {
	tids, ok := os.LookupEnv(resolveEnv)
	if !ok {
		os.Exit(m.Run())
	}
	host, err := cgroup.Detect(hostfile.OS{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	r := New(host, Options{})
	for s := range strings.FieldsSeq(tids) {
		tid, _ := strconv.ParseUint(s, 10, 32)
		d, err := r.Resolve(uint32(tid))
		fmt.Println(gist(d.Container), d.Reason, err)
	}
}

// box is a pid namespace in v1 cgroups of its own on the running machine.
type box struct {
	name string // path of its cgroup
	init uint32
	cmd  *exec.Cmd
}

// mountOf returns where this machine has a v1 controller, or skips.
func mountOf(t *testing.T, controller string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	host, err := cgroup.Detect(hostfile.OS{})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range host.Hierarchies {
		if h.Version == 1 && h.Root == "/" && strings.Contains(","+strings.Join(h.Controllers, ",")+",", ","+controller+",") {
			return h.MountPoint
		}
	}
	t.Skipf("needs the v1 %s controller; have: %s", controller, host.Layout)
	return ""
}

// cgroups are the directories of the box's cgroup.
func (b *box) cgroups(t *testing.T) []string {
	return []string{mountOf(t, "pids") + b.name, mountOf(t, "memory") + b.name}
}

// newBox starts script as the init of a new pid and mount namespace, in a new
// cgroup of the pids and memory hierarchies.
func newBox(t *testing.T, script string) *box {
	t.Helper()
	b := &box{name: fmt.Sprintf("/lxcfs-test-%d-%d", os.Getpid(), time.Now().UnixNano())}
	b.cmd = exec.Command("sh", "-c", "read go; "+script)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	stdin, err := b.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	dirs := b.cgroups(t)
	if err := b.cmd.Start(); err != nil {
		t.Skipf("needs pid namespaces: %v", err)
	}
	b.init = uint32(b.cmd.Process.Pid)
	t.Cleanup(func() { b.stop(t, dirs) })
	for _, dir := range dirs {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		join(t, dir, b.init)
	}
	if _, err := io.WriteString(stdin, "go\n"); err != nil {
		t.Fatal(err)
	}
	return b
}

func join(t *testing.T, dir string, pid uint32) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), fmt.Appendf(nil, "%d\n", pid), 0); err != nil {
		t.Fatal(err)
	}
}

func (b *box) stop(t *testing.T, dirs []string) {
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
	for _, dir := range dirs {
		err := syscall.Rmdir(dir)
		for try := 0; errors.Is(err, syscall.EBUSY) && try < 100; try++ {
			time.Sleep(10 * time.Millisecond)
			err = syscall.Rmdir(dir)
		}
		if err != nil && !errors.Is(err, syscall.ENOENT) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// task waits for a process in the box's cgroup for which ok is true.
func (b *box) task(t *testing.T, ok func(s *status) bool) uint32 {
	t.Helper()
	for range 300 {
		content, _ := os.ReadFile(mountOf(t, "pids") + b.name + "/cgroup.procs")
		for _, pid := range appendProcs(nil, content, 100) {
			content, err := os.ReadFile(procpid.Dir(pid) + "/status")
			if err != nil {
				continue
			}
			if s, err := parseStatus(content); err == nil && ok(&s) {
				return pid
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no such process in 3 s")
	return 0
}

func realResolver(t *testing.T) *Resolver {
	t.Helper()
	host, err := cgroup.Detect(hostfile.OS{})
	if err != nil {
		t.Fatal(err)
	}
	return New(host, Options{})
}

func TestRealNamespaces(t *testing.T) {
	for _, tool := range []string{"unshare", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	b := newBox(t, "unshare -p -f sleep 600 & wait")
	child := b.task(t, func(s *status) bool { return s.depth == 2 && !s.init() })
	nested := b.task(t, func(s *status) bool { return s.depth == 3 && s.init() })
	entered := b.enter(t)

	own := fmt.Sprintf(`system "" "" %s init %d`, b.name, b.init)
	inner := fmt.Sprintf(`system "" "" %s init %d`, b.name, nested)
	rows := []struct {
		tid    uint32
		want   string
		reason Reason
	}{
		{b.init, own, ReasonInit},
		{child, own, ReasonInit},
		{nested, inner, ReasonInit},
		{entered, own, ReasonMount},
	}
	t.Run("as root", func(t *testing.T) {
		r := realResolver(t)
		for _, row := range rows {
			d := mustResolve(t, r, row.tid)
			if got := gist(d.Container); got != row.want || d.Reason != row.reason {
				t.Errorf("%d: got %s, %q; want %s, %q", row.tid, got, d.Reason, row.want, row.reason)
			}
		}
	})
	t.Run("as nobody", func(t *testing.T) {
		tids, want := "", ""
		for _, row := range rows {
			tids += fmt.Sprintf("%d ", row.tid)
			want += fmt.Sprintln(row.want, row.reason, nil)
		}
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = []string{resolveEnv + "=" + tids}
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.Output()
		if err != nil || string(out) != want {
			t.Errorf("got %v\n%s\nwant\n%s", err, out, want)
		}
	})
}

// TestRealStranger enters one container in the cgroup of another: whoever does
// so must not see the other's numbers.
func TestRealStranger(t *testing.T) {
	b, stranger := newBox(t, "sleep 600 & wait"), newBox(t, "sleep 600 & wait")
	entered := b.enter(t)
	for _, dir := range stranger.cgroups(t) {
		join(t, dir, entered)
	}
	r := realResolver(t)
	if d := mustResolve(t, r, entered); d.Container != nil && d.Container.InitPID == stranger.init {
		t.Errorf("got the stranger's container, %q: %s", d.Reason, d.Detail)
	}
	for _, init := range []uint32{stranger.init, b.init} {
		mustResolve(t, r, init)
	}
	if d := mustResolve(t, r, entered); d.Container == nil || d.Container.InitPID != b.init {
		t.Errorf("got %s, %q; want the container that was entered, init %d", gist(d.Container), d.Reason, b.init)
	}
}

// enter starts a process in the box's pid and mount namespaces, in the cgroup of
// the test, and returns its pid.
func (b *box) enter(t *testing.T) uint32 {
	t.Helper()
	cmd := exec.Command("nsenter", "-t", fmt.Sprint(b.init), "-p", "-m", "sleep", "601")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Skipf("needs nsenter: %v", err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	pid := waitChild(t, uint32(cmd.Process.Pid))
	t.Cleanup(func() { syscall.Kill(int(pid), syscall.SIGKILL) })
	return pid
}

// waitChild returns the child that nsenter forks into the pid namespace.
func waitChild(t *testing.T, pid uint32) uint32 {
	t.Helper()
	for range 300 {
		content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		for child := range strings.FieldsSeq(string(content)) {
			n, _ := strconv.ParseUint(child, 10, 32)
			return uint32(n)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nsenter made no child in 3 s")
	return 0
}

// TestRealDeath kills the init while its container is being resolved.
func TestRealDeath(t *testing.T) {
	b := newBox(t, "sleep 600 & wait")
	child := b.task(t, func(s *status) bool { return s.depth == 2 && !s.init() })
	r := realResolver(t)
	d := mustResolve(t, r, child)
	if d.Container == nil || d.Container.InitPID != b.init {
		t.Fatalf("got %s", gist(d.Container))
	}
	if err := b.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for {
		again, err := r.Resolve(child)
		if err != nil {
			if !errors.Is(err, syscall.ESRCH) {
				t.Errorf("got %v, want ESRCH", err)
			}
			break
		}
		if again.Container != d.Container {
			t.Errorf("got %s, %s", gist(again.Container), again.Reason)
		}
		if time.Now().After(deadline) {
			t.Fatal("still there after 5 s")
		}
	}
	_ = b.cmd.Wait()
	if n := len(r.Containers()); n != 0 {
		t.Errorf("got %d containers, want 0", n)
	}
}

// TestRealScope: a process in the host's pid namespace, in a cgroup of Docker's.
func TestRealScope(t *testing.T) {
	dir := mountOf(t, "pids") + "/docker"
	if _, err := os.Stat(dir); err == nil {
		t.Skip("needs a machine without Docker")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	defer syscall.Rmdir(dir)
	if err := os.Mkdir(dir+"/"+idA, 0o755); err != nil {
		t.Fatal(err)
	}
	defer syscall.Rmdir(dir + "/" + idA)
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := uint32(cmd.Process.Pid)
	defer cmd.Wait()
	defer cmd.Process.Kill()
	r := realResolver(t)
	if d := mustResolve(t, r, pid); d.Reason == ReasonScope {
		t.Fatalf("before: got %s", gist(d.Container))
	}
	join(t, dir+"/"+idA, pid)
	d := mustResolve(t, r, pid)
	start, err := r.machine.unbounded().readStat(pid)
	if d.Reason != ReasonScope || d.Container.Name != idA || err != nil || d.Container.StartTicks != start.StartTicks {
		t.Errorf("got %s, %q, start %d; want start %d, %v", gist(d.Container), d.Reason, d.Container.StartTicks, start.StartTicks, err)
	}
	if err := os.Chown(dir, 1000, 1000); err != nil {
		t.Fatal(err)
	}
	if d := mustResolve(t, realResolver(t), pid); d.Reason == ReasonScope {
		t.Errorf("in a cgroup that root does not own: got %s", gist(d.Container))
	}
}

func BenchmarkResolve(b *testing.B) {
	host, err := cgroup.Detect(hostfile.OS{})
	if err != nil {
		b.Fatal(err)
	}
	r := New(host, Options{})
	tid := uint32(os.Getpid())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Resolve(tid); err != nil {
			b.Fatal(err)
		}
	}
}
