//go:build integration

package integration

import (
	"bufio"
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
)

// jail is a container without a cgroup namespace whose init is a client.
type jail struct {
	t       *testing.T
	name    string
	cgroups []string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// treeHierarchies are those that the tests use, of those that are here.
func treeHierarchies() []string {
	var have []string
	for _, h := range []string{"memory", "pids", "systemd", "unified"} {
		if _, err := os.Stat("/sys/fs/cgroup/" + h + "/cgroup.procs"); err == nil {
			have = append(have, h)
		}
	}
	return have
}

// newJail starts a container in cgroups of that name.
func newJail(t *testing.T, d *daemon, mode, name string) *jail {
	t.Helper()
	if len(treeHierarchies()) < 4 {
		t.Skipf("needs the v1 hierarchies memory, pids, systemd and a v2 one; have: %q (v2 is tested in the VM)", treeHierarchies())
	}
	j := &jail{t: t, name: name}
	t.Cleanup(j.remove)
	script := ""
	for _, h := range treeHierarchies() {
		dir := filepath.Join("/sys/fs/cgroup", h, j.name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		j.cgroups = append(j.cgroups, dir)
		script += "echo $$ >" + dir + "/cgroup.procs\n"
		if mode == "start-userns" {
			j.delegate(dir)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	j.cmd = exec.Command("sh", "-euc", script+`exec "$1"`, "sh", self)
	j.cmd.Env = append(os.Environ(), clientVariable+"="+mode, treeVariable+"="+d.path("cgroup"))
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	j.cmd.Stderr = os.Stderr
	if j.in, err = j.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := j.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	j.out = bufio.NewReader(out)
	if err := j.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return j
}

func jailName() string { return fmt.Sprintf("lxcfs-test-%d-%d", os.Getpid(), boxes.Add(1)) }

// delegate does what a runtime does for a container with a user namespace.
func (j *jail) delegate(dir string) {
	j.t.Helper()
	for _, f := range []string{"", "cgroup.procs", "tasks", "cgroup.threads", "cgroup.subtree_control"} {
		if err := os.Chown(filepath.Join(dir, f), 100000, 100000); err != nil && !os.IsNotExist(err) {
			j.t.Fatal(err)
		}
	}
}

// do has the client take a step. C stands for the container's cgroup.
func (j *jail) do(line string) string {
	j.t.Helper()
	if _, err := fmt.Fprintln(j.in, strings.ReplaceAll(line, "/C", "/"+j.name)); err != nil {
		j.t.Fatal(err)
	}
	text, err := j.out.ReadString('\n')
	if err != nil {
		j.t.Fatalf("container %s: %v after %q", j.name, err, line)
	}
	return strings.TrimSuffix(text, "\n")
}

// steps takes steps and compares what comes of them. In the expected text, |
// separates what may come.
func (j *jail) steps(table [][2]string) {
	j.t.Helper()
	for _, s := range table {
		got, wanted := j.do(s[0]), false
		for want := range strings.SplitSeq(s[1], "|") {
			wanted = wanted || got == strings.ReplaceAll(want, "/C", "/"+j.name)
		}
		if !wanted {
			j.t.Errorf("%s: got %s, want %s", s[0], got, s[1])
		}
	}
}

func (j *jail) kill() {
	if j.in != nil {
		j.in.Close()
	}
	if j.cmd != nil && j.cmd.Process != nil {
		j.cmd.Process.Kill()
		j.cmd.Wait()
	}
}

// remove removes the cgroups with all below.
func (j *jail) remove() {
	j.kill()
	for _, dir := range j.cgroups {
		waitFor(j.t, "the removal of "+dir, func() bool { return removeCgroups(dir) })
	}
}

func removeCgroups(dir string) bool {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			removeCgroups(filepath.Join(dir, e.Name()))
		}
	}
	err := syscall.Rmdir(dir)
	return err == nil || err == syscall.ENOENT
}

func TestCgroupTreeOwn(t *testing.T) {
	d := start(t, "--enable-cgroup")
	j := newJail(t, d, "start", jailName())
	for _, h := range treeHierarchies() {
		j.steps([][2]string{
			{"stat " + h, "555 0:0"},
			{"list " + h, "=" + j.name},
			{"stat " + h + "/C", "755 0:0"},
			{"list " + h + "/C", "="},
			{"read " + h + "/C/cgroup.procs", "=1"},
			{"mkdir " + h + "/C/sub", "ok"},
			{"mkdir " + h + "/C/sub", "EEXIST"},
			{"mkdir " + h + "/C/sub/deep", "ok"},
			{"rmdir " + h + "/C/sub", "EBUSY|ENOTEMPTY"},
			{"list " + h + "/C/sub", "=deep"},
			{"rmdir " + h + "/C/sub/deep", "ok"},
			{"write " + h + "/C/sub/cgroup.procs 0", "ok"},
			{"read " + h + "/C/sub/cgroup.procs", "=1"},
			{"read " + h + "/C/cgroup.procs", "="},
			{"rmdir " + h + "/C/sub", "EBUSY"},
			{"write " + h + "/C/cgroup.procs 1", "ok"},
			{"chmod " + h + "/C/sub 0700", "ok"},
			{"chown " + h + "/C/sub/cgroup.procs 1234", "ok"},
			{"stat " + h + "/C/sub", "700 0:0"},
			{"stat " + h + "/C/sub/cgroup.procs", "644 1234:1234"},
			{"rmdir " + h + "/C/sub", "ok"},
			{"list " + h + "/C", "="},
			{"mkdir " + h + "/C/a\\sb", "ok"},
			{"list " + h + "/C", "=a b"},
			{"rmdir " + h + "/C/a\\sb", "ok"},
		})
	}
	child := j.do("spawn")
	j.steps([][2]string{
		{"mkdir memory/C/sub", "ok"},
		{"write memory/C/sub/memory.limit_in_bytes 64M", "ok"},
		{"read memory/C/sub/memory.limit_in_bytes", "=67108864"},
		{"write memory/C/sub/memory.limit_in_bytes nonsense", "EINVAL"},
		{"write memory/C/sub/tasks " + child, "ok"},
		{"read memory/C/sub/tasks", "=" + child},
		{"read memory/C/sub/cgroup.procs", "=" + child},
		{"write memory/C/cgroup.procs " + child, "ok"},
		{"rmdir memory/C/sub", "ok"},
	})
}

func TestCgroupTreeConfined(t *testing.T) {
	d := start(t, "--enable-cgroup")
	a, b := newJail(t, d, "start", jailName()), newJail(t, d, "start", jailName())
	b.do("read memory/C/cgroup.procs") // runs
	host := strconv.Itoa(os.Getpid())
	victim := strconv.Itoa(hostPID(t, b))
	for _, h := range treeHierarchies() {
		before := mustRead(t, filepath.Join("/sys/fs/cgroup", h, b.name, "cgroup.procs"))
		beside := h + "/" + b.name
		table := [][2]string{
			{"list " + h, "=" + a.name},
			{"read " + h + "/cgroup.procs", "ENOENT"},
			{"write " + h + "/cgroup.procs 0", "ENOENT"},
			{"mkdir " + h + "/new", "EPERM"},
			{"mkdir new", "EPERM"},
			{"rmdir " + h, "EPERM"},
			{"rmdir " + h + "/C", "EPERM|EBUSY"},
			{"chmod " + h + " 0777", "EPERM"},
			{"chown " + h + " 0", "EPERM"},
			{"rename " + h + "/C " + h + "/new", "EPERM"},
			{"stat " + beside, "ENOENT"},
			{"list " + beside, "ENOENT"},
			{"read " + beside + "/cgroup.procs", "ENOENT"},
			{"write " + beside + "/cgroup.procs 0", "ENOENT"},
			{"mkdir " + beside + "/x", "ENOENT"},
			{"rmdir " + beside, "ENOENT"},
			{"rename " + beside + " " + h + "/C/stolen", "ENOENT"},
			{"read " + h + "/C/../" + b.name + "/cgroup.procs", "ENOENT"},
			{"read " + h + "/C/../cgroup.procs", "ENOENT"},
			{"mkdir " + h + "/C/sub", "ok"},
			{"rename " + h + "/C/sub " + h + "/C/bus", "EPERM"},
			{"rename " + h + "/C/sub " + h + "/bus", "EPERM|EXDEV"},
			{"symlink ../" + b.name + " " + h + "/C/link", "EPERM"},
			{"link " + h + "/C/cgroup.procs " + h + "/C/link", "EPERM"},
			{"create " + h + "/C/file", "EPERM"},
			{"unlink " + h + "/C/cgroup.procs", "EPERM"},
			{"setxattr " + h + "/C", "EOPNOTSUPP|ENOTSUP|EPERM"},
			{"mkdir " + h + "/C/two\\nlines", "EINVAL"},
			{"mkdir " + h + "/C/" + strings.Repeat("x", 256), "ENAMETOOLONG"},
			{"write " + h + "/C/sub/cgroup.procs " + host, "ESRCH"},
			{"write " + h + "/C/sub/cgroup.procs " + victim, "ESRCH"},
			{"write " + h + "/C/sub/cgroup.procs " + strconv.Itoa(a.cmd.Process.Pid), "ESRCH"},
			{"write " + h + "/C/sub/cgroup.procs -1", "EINVAL"},
			{"write " + h + "/C/sub/cgroup.procs 0\\n0", "EINVAL"},
			{"read " + h + "/C/cgroup.procs", "=1"},
			{"rmdir " + h + "/C/sub", "ok"},
		}
		if h != "unified" {
			table = append(table, [2]string{"write " + h + "/C/notify_on_release 1", "EPERM"},
				[2]string{"write " + h + "/release_agent /bin/sh", "ENOENT"})
		}
		a.steps(table)
		if after := mustRead(t, filepath.Join("/sys/fs/cgroup", h, b.name, "cgroup.procs")); after != before {
			t.Errorf("%s: the other container's processes were %q, are %q", h, before, after)
		}
	}
	limit := mustRead(t, "/sys/fs/cgroup/memory/"+a.name+"/memory.limit_in_bytes")
	a.steps([][2]string{
		{"write memory/C/memory.limit_in_bytes 1G", "EPERM"},
		{"write memory/C/cgroup.event_control 1\\s1", "EPERM"},
		{"chmod memory/C/memory.limit_in_bytes 0666", "EPERM"},
		{"write pids/C/pids.max 5", "EPERM"},
	})
	if got := mustRead(t, "/sys/fs/cgroup/memory/"+a.name+"/memory.limit_in_bytes"); got != limit {
		t.Errorf("the container changed its limit to %s", got)
	}
}

// hostPID returns a process in the memory cgroup of the container, the init.
func hostPID(t *testing.T, j *jail) int {
	t.Helper()
	for _, f := range strings.Fields(mustRead(t, "/sys/fs/cgroup/memory/"+j.name+"/cgroup.procs")) {
		status, _ := os.ReadFile("/proc/" + f + "/status")
		if strings.Contains(string(status), "NSpid:\t"+f+"\t1\n") {
			pid, _ := strconv.Atoi(f)
			return pid
		}
	}
	t.Fatal("no init found")
	return 0
}

// A container within the container is shown its own part, and the outer one
// sees it.
func TestCgroupTreeNested(t *testing.T) {
	d := start(t, "--enable-cgroup")
	outer := newJail(t, d, "start", jailName())
	inner := newJail(t, d, "start", outer.name+"/in")
	inner.steps([][2]string{
		{"list memory", "=" + outer.name},
		{"stat memory/" + outer.name, "555 0:0"},
		{"list memory/" + outer.name, "=in"},
		{"read memory/" + outer.name + "/cgroup.procs", "ENOENT"},
		{"mkdir memory/" + outer.name + "/x", "EPERM"},
		{"read memory/C/cgroup.procs", "=1"},
		{"write memory/C/memory.limit_in_bytes 1G", "EPERM"},
	})
	outer.steps([][2]string{
		{"list memory/C", "=in"},
		{"stat memory/C", "755 0:0"},
		{"write memory/C/in/memory.limit_in_bytes 1G", "ok"},
		{"mkdir memory/C/in/x", "ok"},
		{"rmdir memory/C/in/x", "ok"},
	})
	inner.kill()
}

func TestCgroupTreeUserNamespace(t *testing.T) {
	d := start(t, "--enable-cgroup")
	j := newJail(t, d, "start-userns", jailName())
	for _, h := range treeHierarchies() {
		j.steps([][2]string{
			{"stat " + h, "555 65534:65534"},
			{"stat " + h + "/C", "755 0:0"},
			{"mkdir " + h + "/C/sub", "ok"},
			{"stat " + h + "/C/sub", "755 0:0"},
			{"stat " + h + "/C/sub/cgroup.procs", "644 0:0"},
			{"write " + h + "/C/sub/cgroup.procs 0", "ok"},
			{"write " + h + "/C/cgroup.procs 0", "ok"},
			{"chown " + h + "/C/sub 1000", "ok"},
			{"chown " + h + "/C/sub 70000", "EINVAL"},
			{"chmod " + h + "/C/sub 0500", "ok"},
			{"rmdir " + h + "/C/sub", "ok"},
			{"mkdir " + h + "/new", "EPERM|EACCES"},
		})
	}
	j.steps([][2]string{
		{"stat memory/C/memory.limit_in_bytes", "644 65534:65534"},
		{"write memory/C/memory.limit_in_bytes 1G", "EACCES"},
		{"chown memory/C/memory.limit_in_bytes 0", "EPERM"},
		{"mkdir memory/C/sub", "ok"},
		{"write memory/C/sub/memory.limit_in_bytes 1G", "ok"},
	})
	child := j.do("spawn")
	// From here on as another user of the container.
	j.steps([][2]string{
		{"chown memory/C/sub 1000", "ok"},
		{"chown memory/C/sub/cgroup.procs 1000", "ok"},
		{"setuid 1000", "ok"},
		{"write memory/C/cgroup.procs 0", "EACCES"},
		{"write memory/C/sub/cgroup.procs " + child, "EACCES"},
		{"write memory/C/sub/cgroup.procs 0", "ok"},
		{"write memory/C/sub/memory.limit_in_bytes 2G", "EACCES"},
		{"mkdir memory/C/sub/mine", "ok"},
		{"stat memory/C/sub/mine", "755 1000:1000"},
		{"write memory/C/sub/mine/memory.limit_in_bytes 1G", "ok"},
		{"mkdir memory/C/mine", "EACCES"},
		{"rmdir memory/C/sub/mine", "ok"},
	})
}

// The worker dies again and again while a container makes and removes cgroups:
// what was said to be done is done, once, and as a whole.
func TestCgroupTreeKilled(t *testing.T) {
	d := start(t, "--keeper", "--enable-cgroup")
	j := newJail(t, d, "start-userns", jailName())
	j.do("list memory/C")
	const rounds = 30
	for i := range rounds {
		killed := killWorkerSoon(d, time.Duration(i*i%61)*100*time.Microsecond)
		j.steps([][2]string{
			{fmt.Sprintf("mkdir memory/C/n%d", i), "ok"},
			{fmt.Sprintf("stat memory/C/n%d/tasks", i), "644 0:0"},
			{fmt.Sprintf("write memory/C/n%d/cgroup.procs 0", i), "ok"},
			{fmt.Sprintf("read memory/C/n%d/cgroup.procs", i), "=1"},
			{fmt.Sprintf("write memory/C/n%d/memory.limit_in_bytes 1G", i), "ok"},
			{"write memory/C/cgroup.procs 0", "ok"},
		})
		if i%2 == 0 {
			j.steps([][2]string{{fmt.Sprintf("rmdir memory/C/n%d", i), "ok"}, {fmt.Sprintf("stat memory/C/n%d", i), "ENOENT"}})
		}
		<-killed
	}
	for i := 1; i < rounds; i += 2 {
		dir := fmt.Sprintf("/sys/fs/cgroup/memory/%s/n%d", j.name, i)
		for _, f := range []string{"", "/tasks", "/memory.limit_in_bytes"} {
			info, err := os.Stat(dir + f)
			if err != nil || info.Sys().(*syscall.Stat_t).Uid != 100000 {
				t.Errorf("%s%s: %v, %v", dir, f, info, err)
			}
		}
	}
	j.steps([][2]string{{"mkdir memory/C/after", "ok"}, {"rmdir memory/C/after", "ok"}})
}

// killWorkerSoon kills the worker of a keeper after a while; the channel is
// closed then.
func killWorkerSoon(d *daemon, after time.Duration) <-chan struct{} {
	done, pid := make(chan struct{}), d.worker()
	go func() {
		defer close(done)
		time.Sleep(after)
		if pid != 0 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}()
	return done
}
