package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/dbusapi"
	"linuxcontainers.org/lxcfs/hooks/attach"
)

func TestStatusOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{problemsError(3), 1},
		{usageError{errors.New("x")}, 2},
		{fmt.Errorf("x: %w", dbusapi.ErrNoBus), 3},
		{fmt.Errorf("x: %w", dbusapi.ErrNotRunning), 3},
		{fmt.Errorf("x: %w", dbusapi.ErrDenied), 4},
		{fmt.Errorf("x: %w", dbusapi.ErrNoSuchContainer), 5},
		{fmt.Errorf("x: %w", dbusapi.ErrNoSuchProcess), 5},
		{fmt.Errorf("x: %w", attach.ErrNotFound), 5},
		{fmt.Errorf("x: %w", attach.ErrGone), 5},
		{fmt.Errorf("x: %w", dbusapi.ErrNoSuchFile), 5},
		{fmt.Errorf("x: %w", dbusapi.ErrNoSuchConnection), 5},
	} {
		if got := statusOf(tt.err); got != tt.want {
			t.Errorf("%v: got %d, want %d", tt.err, got, tt.want)
		}
	}
}

// Without a bus each verb that needs one says so in one sentence.
func TestWithoutBus(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+t.TempDir()+"/none")
	for _, args := range []string{
		"status", "containers --json", "show meminfo --pid 1", "explain 1", "top -n 1", "reload", "reexec", "virtualization off", "metrics",
	} {
		var out, errs bytes.Buffer
		status := run(t.Context(), strings.Fields(args), &out, &errs)
		if status != exitUnreachable || out.Len() > 0 || strings.Count(errs.String(), "\n") != 1 || !strings.Contains(errs.String(), "bus") {
			t.Errorf("%s: exit status %d, %q, %q", args, status, out.String(), errs.String())
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range []string{
		"status x", "show", "show meminfo", "show meminfo --pid 1 --container x", "explain", "explain x", "explain 0", "top --sort nothing",
		"top -i 0s", "virtualization", "virtualization perhaps", "metrics --listen --json", "doctor x", "nothing",
	} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), strings.Fields(args), &out, &errs); status != exitUsage {
			t.Errorf("%s: exit status %d, %q", args, status, errs.String())
		}
	}
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"--help"}, &out, &errs); status != 0 || !strings.Contains(out.String(), "Exit status: 0 done") {
		t.Errorf("help: %d, %s", status, out.String())
	}
}

func testContainers() []dbusapi.ContainerUsage {
	return []dbusapi.ContainerUsage{
		{Container: dbusapi.Container{ID: "c1", Name: "web", Runtime: "lxc", Kind: "system", Cgroup: "/lxc.payload.web", InitPID: 9}, Usage: dbusapi.Usage{
			MemoryTotal: 512 << 20, MemoryAvailable: 128 << 20, SwapTotal: 1 << 30, SwapFree: 1 << 30, CPUs: "0-1", CPUUsageUSec: 5e6, Reads: 30, UptimeUSec: 90000 * 1e6,
		}},
		{Container: dbusapi.Container{ID: "c2", Name: "0123456789abcdef0123", Runtime: "docker", Kind: "application", Unit: "docker-0123.scope", Cgroup: "/docker/0123"}},
		{Container: dbusapi.Container{ID: "c3", Name: "web", Runtime: "nspawn", Kind: "system", Cgroup: "/machine.slice/web"}},
		{Container: dbusapi.Container{ID: "c4", ClaimedName: "podman/0123456789abcdef0123", Kind: "application", Unit: "user@1000.service", Cgroup: "/user.slice/x"}},
	}
}

func TestPick(t *testing.T) {
	all := testContainers()
	for name, want := range map[string]string{
		"lxc/web": "c1", "/lxc.payload.web": "c1", "0123456789abcdef0123": "c2", "01234567": "c2", "docker-0123.scope": "c2", "nspawn/web": "c3", "/user.slice/x": "c4", "user@1000.service": "c4",
		"web": "", "0123": "", "": "", "none": "", "podman/0123456789abcdef0123": "", "/": "", // a claim names nothing
	} {
		got, err := pick(all, name)
		if got.ID != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", name, got.ID, err, want)
		}
	}
}

func TestContainerRows(t *testing.T) {
	rows := containerRows(testContainers(), false)
	if got := strings.Join(rows[1], " "); got != "web lxc system 9 384.0M 512.0M 0B 1.0G 0-1 0.00 0 1d1h 30" {
		t.Errorf("got %q", got)
	}
	if got := rows[2][0]; got != "0123456789ab" {
		t.Errorf("a long id: %q", got)
	}
	if got := rows[4][0] + " " + rows[4][1]; got != "podman/0123456789ab (claimed) -" {
		t.Errorf("a claimed name: %q", got)
	}
	if got := containerRows(testContainers(), true)[1][4]; got != "402653184" {
		t.Errorf("bytes: %q", got)
	}
}

func TestLoads(t *testing.T) {
	before, now := testContainers(), testContainers()
	now[0].CPUUsageUSec += 3e6
	now[0].Reads += 10
	now[1].CPUUsageUSec = 1e6
	before[1].CPUUsageUSec = 9e6 // a daemon that was restarted
	loads := loadsOf(before[:2], now, 2*time.Second)
	if l := loads[0]; l.CPUPercent != 150 || l.ReadsPerSecond != 5 {
		t.Errorf("got %v %%, %v reads/s", l.CPUPercent, l.ReadsPerSecond)
	}
	if loads[1].CPUPercent != 0 || loads[2].CPUPercent != 0 {
		t.Errorf("got %v and %v %%", loads[1].CPUPercent, loads[2].CPUPercent)
	}
	for name, order := range orders() {
		if n := order(loads[0], loads[1]); name != "name" && name != "load" && n >= 0 {
			t.Errorf("%s: %d", name, n)
		}
	}
}

func TestTopPrints(t *testing.T) {
	loads := loadsOf(nil, testContainers(), time.Second)
	var out bytes.Buffer
	if err := (&topOptions{}).print(screen{Writer: &out, terminal: true, width: 30}, loads); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(out.String(), "\n") {
		line = strings.NewReplacer(home, "", clearLine, "", clearRest, "").Replace(line)
		if len(line) > 30 {
			t.Errorf("line %d is wider than the terminal: %q", i, line)
		}
	}
	if !strings.HasPrefix(out.String(), home) || !strings.HasSuffix(out.String(), clearRest) {
		t.Errorf("got %q", out.String())
	}
	out.Reset()
	if err := (&topOptions{}).print(screen{Writer: &out}, loads); err != nil || strings.Contains(out.String(), "\x1b") || strings.Count(out.String(), "\n") != 1+len(loads) {
		t.Errorf("not a terminal: %q, %v", out.String(), err)
	}
	out.Reset()
	if err := (&topOptions{asJSON: true}).print(screen{Writer: &out}, loads); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("JSON: %q, %v", out.String(), err)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{0: "0B", 1023: "1023B", 1024: "1.0K", 1536: "1.5K", 1<<20 - 1: "1.0M", 512 << 20: "512.0M", 1 << 62: "4.0E"} {
		if got := size(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestFullPath(t *testing.T) {
	files := []dbusapi.FileStats{{Path: "/proc/meminfo"}, {Path: "/sys/devices/system/cpu/online"}}
	for in, want := range map[string]string{
		"meminfo": "/proc/meminfo", "proc/meminfo": "/proc/meminfo", "/proc/meminfo": "/proc/meminfo", "online": "/sys/devices/system/cpu/online",
		"cpu/online": "/sys/devices/system/cpu/online", "info": "info", "../proc/meminfo": "/proc/meminfo",
	} {
		if got := fullPath(files, in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestStatusAndExplanationPrint(t *testing.T) {
	var out bytes.Buffer
	r := statusText{Status: testSample().Status, Connections: testSample().Connections, Containers: 4}
	if err := r.print(screen{Writer: &out}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"State: serving", "restarted 3 times", "4 (format, other)", "166.666ms", "99 requests"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	for state, change := range map[string]func(*statusText){
		"nothing is mounted":    func(r *statusText) { r.Connections = nil },
		"degraded":              func(r *statusText) { r.Degraded = true },
		"virtualization is off": func(r *statusText) { r.Virtualization = false },
	} {
		changed := r
		change(&changed)
		out.Reset()
		if err := changed.print(screen{Writer: &out}); err != nil || !strings.Contains(out.String(), state) {
			t.Errorf("want %q in\n%s", state, out.String())
		}
	}
	out.Reset()
	e := explanation{PID: 7, Explanation: dbusapi.Explanation{
		Reason: "rule", Detail: "/x", Container: &testContainers()[0].Container,
		Sources: []dbusapi.Source{{Name: "memory limit", Value: "512", Cgroup: "/lxc", File: "/sys/fs/cgroup/lxc/memory.max", Shown: "/proc/meminfo"}},
	}}
	if err := e.print(screen{Writer: &out}); err != nil || !strings.Contains(out.String(), "rule: /x") || !strings.Contains(out.String(), "/sys/fs/cgroup/lxc/memory.max") {
		t.Errorf("%v:\n%s", err, out.String())
	}
}

// A claim finds nothing, and the message says by what the container is found.
func TestPickOfAClaim(t *testing.T) {
	var c dbusapi.ContainerUsage
	c.ClaimedName, c.Cgroup, c.Kind = "podman/feedfeedfeedfeed", "/user.slice/libpod-feedfeedfeedfeed.scope", "application"
	all := []dbusapi.ContainerUsage{c}
	for _, name := range []string{"podman/feedfeedfeed (claimed)", "podman/feedfeedfeed", "feedfeedfeed", "podman/feedfeedfeedfeed"} {
		_, err := pick(all, name)
		if !errors.Is(err, dbusapi.ErrNoSuchContainer) || !strings.Contains(err.Error(), "--container "+c.Cgroup) {
			t.Errorf("%s: got %v, which does not say what to do", name, err)
		}
	}
	if got, err := pick(all, c.Cgroup); err != nil || got.Cgroup != c.Cgroup {
		t.Errorf("by its cgroup: got %v, %v", got, err)
	}
}
