//go:build integration

package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// busConfig is a bus on which everybody may own any name.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
`

// messageBus is a private bus in the place of the system's, for this test and
// the processes that it starts.
type messageBus struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
}

func newMessageBus(t *testing.T) *messageBus {
	t.Helper()
	needRoot(t)
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		t.Skipf("needs dbus-daemon; have: %v", err)
	}
	dir, err := os.MkdirTemp("", "lxcfs-bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "bus")
	config := strings.Replace(busConfig, "SOCKET", socket, 1)
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+socket)
	b := &messageBus{t: t, dir: dir}
	t.Cleanup(b.stop)
	return b
}

func (b *messageBus) start() {
	b.t.Helper()
	b.cmd = exec.Command("dbus-daemon", "--config-file="+filepath.Join(b.dir, "config"), "--nofork", "--nosyslog", "--print-address")
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.t.Fatalf("dbus-daemon: %v", err)
	}
}

func (b *messageBus) stop() {
	if b.cmd != nil {
		b.cmd.Process.Kill()
		b.cmd.Wait()
		b.cmd = nil
	}
}

// control runs lxcfsctl as root and returns what it prints and its exit status.
func control(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	return controlAs(t, 0, args...)
}

func controlAs(t *testing.T, uid uint32, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.Command(ctl, args...)
	cmd.Dir = "/"
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// answer is what a verb prints, which has to succeed.
func answer(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, status := control(t, args...)
	if status != 0 {
		t.Fatalf("lxcfsctl %q: exit status %d: %s", args, status, errs)
	}
	return out
}

// onTheBus waits until the daemon answers.
func onTheBus(t *testing.T) {
	t.Helper()
	last := ""
	defer func() {
		if t.Failed() {
			t.Logf("lxcfsctl said: %s", last)
		}
	}()
	waitFor(t, "lxcfs on the bus", func() bool {
		_, errs, status := control(t, "status")
		last = errs
		return status == 0
	})
}

// busContainer is one element of containers --json.
type busContainer struct {
	Name, Runtime, Kind, Cgroup, CPUs string
	InitPID                           int        `json:"init_pid"`
	MemoryLimit                       uint64     `json:"memory_limit"`
	MemoryTotal                       uint64     `json:"memory_total"`
	SwapTotal                         uint64     `json:"swap_total"`
	Quota                             uint64     `json:"cpu_quota_per_sec_usec"`
	CPUUsage                          uint64     `json:"cpu_usage_usec"`
	Uptime                            uint64     `json:"uptime_usec"`
	Load                              [3]float64 `json:"load_average"`
	Reads                             uint64
}

// listed returns the container of a cgroup that ends in name.
func listed(t *testing.T, name string) busContainer {
	t.Helper()
	var all []busContainer
	if err := json.Unmarshal([]byte(answer(t, "containers", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if strings.HasSuffix(c.Cgroup, "/"+name) {
			return c
		}
	}
	t.Fatalf("%s is not among %+v", name, all)
	return busContainer{}
}

// What lxcfsctl prints of a container is what the container reads.
func TestControlNumbers(t *testing.T) {
	bus := newMessageBus(t)
	bus.start()
	s := newService(t, nobody)
	dir := s.up("mnt")[0]
	outer := newBox(t, &daemon{t: t, dir: dir}, limits{memory: "536870912"}, nil)
	b := newBox(t, &daemon{t: t, dir: dir}, limits{cpus: "1", quota: "50000"}, outer)
	meminfo := b.run("cat /proc/meminfo")
	onTheBus(t)
	c := listed(t, filepath.Base(b.name))
	pid := strconv.Itoa(c.InitPID)

	t.Run("containers", func(t *testing.T) {
		if got, want := c.MemoryTotal, field(t, meminfo, "MemTotal:")<<10; got != want || c.MemoryLimit != want {
			t.Errorf("memory total %d, limit %d; the container reads %d", got, c.MemoryLimit, want)
		}
		if want := field(t, meminfo, "SwapTotal:") << 10; c.SwapTotal != want {
			t.Errorf("swap total %d; the container reads %d", c.SwapTotal, want)
		}
		if want := strings.TrimSpace(b.run("cat /sys/devices/system/cpu/online")); c.CPUs != want || c.Quota != 500000 {
			t.Errorf("CPUs %q, quota %d; the container reads %q", c.CPUs, c.Quota, want)
		}
		if c.Reads == 0 {
			t.Error("no read is counted")
		}
		before := cpuTicks(t, b.run("cat /proc/stat"))
		middle := listed(t, filepath.Base(b.name)).CPUUsage / 10000
		if after := cpuTicks(t, b.run("cat /proc/stat")); middle < before || middle > after {
			t.Errorf("%d ticks of CPU time; the container reads %d and then %d", middle, before, after)
		}
	})
	t.Run("show", func(t *testing.T) {
		for _, file := range []string{"/proc/swaps", "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/cpu1/topology/core_cpus_list",
			"/sys/devices/system/node/node0/cpulist", "/proc/partitions", "/proc/cpuinfo"} {
			if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
				continue
			}
			got, want := answer(t, "show", file, "--pid", pid), b.run("cat "+filepath.Join(dir, file))
			if file == "/proc/cpuinfo" {
				got, want = withoutClock(got), withoutClock(want)
			}
			if strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("%s: got\n%s\nthe container reads\n%s", file, got, want)
			}
		}
		if got := field(t, answer(t, "show", "meminfo", "--container", c.Cgroup), "MemTotal:"); got != 524288 {
			t.Errorf("MemTotal of the container: %d kB", got)
		}
		for _, args := range [][]string{{"show", "/proc/none", "--pid", pid}, {"show", "/sys/devices/system/cpu/../../../../etc/passwd", "--pid", pid},
			{"show", "/sys/devices/system/cpu/cpu0", "--pid", pid}, {"show", "stat", "--pid", "4194304"}, {"show", "stat", "--container", "none"}} {
			if _, errs, status := control(t, args...); status != 5 {
				t.Errorf("%q: exit status %d: %s", args, status, errs)
			}
		}
	})
	t.Run("explain", func(t *testing.T) {
		var e struct {
			Reason    string
			Container *struct{ Cgroup string }
			Sources   []struct{ Name, Value, Cgroup, File, Shown string }
		}
		if err := json.Unmarshal([]byte(answer(t, "explain", pid, "--json")), &e); err != nil {
			t.Fatal(err)
		}
		if e.Container == nil || e.Container.Cgroup != c.Cgroup || e.Reason == "" {
			t.Errorf("got %+v", e)
		}
		for _, source := range e.Sources {
			if source.File == "" {
				continue
			}
			text := mustRead(t, source.File)
			if source.Name == "memory limit" && (source.Value != strings.TrimSpace(text) || filepath.Base(source.Cgroup) != filepath.Base(outer.name)) {
				t.Errorf("%+v; the file has %q, and the limit is %s's", source, text, outer.name)
			}
		}
		if text := answer(t, "explain", pid, "--file", "cpuinfo"); !strings.Contains(text, "CPUs counted by  set (kind system)") {
			t.Errorf("explain does not say how CPUs are counted:\n%s", text)
		}
		if text := answer(t, "explain", pid, "--file", "meminfo"); !strings.Contains(text, "memory limit") || strings.Contains(text, "CPU quota") {
			t.Errorf("of meminfo alone:\n%s", text)
		}
		if text := answer(t, "explain", "1"); !strings.Contains(text, "Sees: the host's numbers") {
			t.Errorf("of process 1:\n%s", text)
		}
	})
}

// cpuTicks is user, nice and system of the first line of /proc/stat.
func cpuTicks(t *testing.T, stat string) (sum uint64) {
	t.Helper()
	for _, f := range strings.Fields(stat)[1:4] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// withoutClock leaves out the lines of cpuinfo that change by themselves.
func withoutClock(cpuinfo string) string {
	var kept strings.Builder
	for line := range strings.Lines(cpuinfo) {
		if !strings.HasPrefix(line, "cpu MHz") && !strings.HasPrefix(line, "bogomips") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// gdbus talks to the daemon by another implementation of D-Bus than ours.
func gdbus(t *testing.T, verb string, args ...string) string {
	t.Helper()
	args = append([]string{verb, "--system", "--dest", "org.linuxcontainers.lxcfs1", "--object-path", "/org/linuxcontainers/lxcfs1"}, args...)
	out, err := exec.Command("gdbus", args...).CombinedOutput()
	if err != nil {
		t.Errorf("gdbus %s: %v\n%s", verb, err, out)
	}
	return string(out)
}

// The switch, a reload, a new program, who may do that, and a bus that goes.
func TestControlManages(t *testing.T) {
	bus := newMessageBus(t)
	s := newService(t, 0)
	file := filepath.Join(s.up("mnt")[0], "proc/meminfo")
	if _, errs, status := control(t, "status"); status != 3 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "system bus") {
		t.Errorf("without a bus: exit status %d, %q", status, errs)
	}
	mustRead(t, file)
	bus.start()
	onTheBus(t)

	for _, args := range [][]string{{"reload"}, {"reexec"}, {"virtualization", "off"}} {
		if _, errs, status := controlAs(t, nobody, args...); status != 4 || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q of nobody: exit status %d, %q", args, status, errs)
		}
	}
	if out, errs, status := controlAs(t, nobody, "status"); status != 0 || !strings.Contains(out, "serving") {
		t.Errorf("status of nobody: exit status %d, %q, %q", status, out, errs)
	}
	answer(t, "reload")
	answer(t, "virtualization", "off")
	if out := answer(t, "status"); !strings.Contains(out, "virtualization is off") {
		t.Errorf("status:\n%s", out)
	}
	answer(t, "virtualization", "on")
	gdbus(t, "introspect", "--xml")
	gdbus(t, "call", "--method", "org.linuxcontainers.lxcfs1.Manager.Reload")
	if out := gdbus(t, "call", "--method", "org.linuxcontainers.lxcfs1.Manager.ListConnections"); !strings.Contains(out, filepath.Dir(filepath.Dir(file))) {
		t.Errorf("connections by gdbus: %s", out)
	}
	pid := s.State().PID
	answer(t, "reexec")
	mustRead(t, file)
	if out := answer(t, "status"); s.State().PID != pid || !strings.Contains(out, "restarted 1 times") {
		t.Errorf("after reexec process %d is %d; status:\n%s", pid, s.State().PID, out)
	}

	bus.stop()
	mustRead(t, file)
	bus.start()
	onTheBus(t)
	if s.State().PID != pid {
		t.Error("the daemon did not outlive the bus")
	}
}

// Root has the daemon read all files as programs do, on the way of readers and
// without one: no request comes from the kernel.
func TestCheckFiles(t *testing.T) {
	b := newMessageBus(t)
	b.start()
	s := newService(t, nobody)
	dirs := s.up("a")
	onTheBus(t)
	var findings []struct{ Check, Verdict, Text string }
	stdout, stderr, _ := control(t, "doctor", "--json")
	if err := json.Unmarshal([]byte(stdout), &findings); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	found := false
	for _, f := range findings {
		if f.Check == "files" {
			found = f.Verdict == "ok"
			t.Log(f.Text)
		}
	}
	if !found {
		t.Errorf("doctor: %s", stdout)
	}
	mustRead(t, filepath.Join(dirs[0], "proc/meminfo"))
}
