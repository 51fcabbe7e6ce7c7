//go:build integration

package integration

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// field returns the number behind a label at the start of a line.
func field(t *testing.T, text, label string) uint64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(label) + `\s+(\d+)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no line %q in:\n%s", label, text)
	}
	n, err := strconv.ParseUint(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A container of 512 MiB and one CPU, as its tools see it.
func TestContainerSeesItself(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "536870912", cpus: "1"}, nil)
	t.Run("free", func(t *testing.T) {
		if got := field(t, b.run("free -k"), "Mem:"); got != 524288 {
			t.Errorf("free -k: total %d, want 524288", got)
		}
	})
	t.Run("CPUs agree", func(t *testing.T) {
		for command, want := range map[string]string{
			"cat /sys/devices/system/cpu/online":        "1",
			"grep -c ^processor /proc/cpuinfo":          "1",
			"grep ^processor /proc/cpuinfo":             "processor\t: 1",
			"grep -c '^cpu[0-9]' /proc/stat":            "1",
			"grep -o '^cpu[0-9]*' /proc/stat | tail -1": "cpu1",
			"nproc": "1",
		} {
			if got := strings.TrimSpace(b.run(command)); got != want {
				t.Errorf("%s: got %q, want %q", command, got, want)
			}
		}
	})
	t.Run("uptime", func(t *testing.T) {
		host := seconds(t, mustRead(t, "/proc/uptime"))
		if up := seconds(t, b.run("cat /proc/uptime")); up > host/2 && host > 300 || up > 120 {
			t.Errorf("up %v s, the host %v s: want the time since the container's start", up, host)
		}
	})
	t.Run("loadavg", func(t *testing.T) {
		got := b.run("cat /proc/loadavg")
		if !regexp.MustCompile(`^\d+\.\d\d \d+\.\d\d \d+\.\d\d \d+/\d+ \d+\n`).MatchString(got) {
			t.Errorf("loadavg: %q", got)
		}
	})
	t.Run("loadavg of a young container", func(t *testing.T) {
		young := newBox(t, d, limits{}, nil)
		text := young.run("for i in 1 2 3 4; do while :; do :; done & done; cat /proc/loadavg /proc/uptime; kill $(jobs -p)")
		var load, threads, up float64
		if _, err := fmt.Sscanf(text, "%f %s %s %f/%f %s\n%f", &load, new(string), new(string), new(float64), &threads, new(string), &up); err != nil {
			t.Fatalf("%v: %q", err, text)
		}
		// Had all its threads run ever since its start, it would be so much.
		if most := threads*(1-math.Exp(-up/60)) + 0.02; load > most {
			t.Errorf("load %.2f of %v threads %.1f s after the start, want at most %.2f", load, threads, up, most)
		}
	})
	t.Run("host", func(t *testing.T) {
		outside := field(t, mustRead(t, d.path("proc/meminfo")), "MemTotal:")
		if host := field(t, mustRead(t, "/proc/meminfo"), "MemTotal:"); outside > host {
			t.Errorf("a reader outside sees MemTotal %d, the host has %d", outside, host)
		}
	})
}

func seconds(t *testing.T, uptime string) float64 {
	t.Helper()
	var up, idle float64
	if _, err := fmt.Sscan(uptime, &up, &idle); err != nil {
		t.Fatalf("uptime %q: %v", uptime, err)
	}
	return up
}

// A loop that burns one CPU shows as one CPU's worth in its own container and
// hardly at all in another.
func TestBurnedCPU(t *testing.T) {
	d := start(t)
	busy := newBox(t, d, limits{}, nil)
	idle := newBox(t, d, limits{}, nil)
	burned := func(b *box) float64 {
		f := strings.Fields(b.run("head -1 /proc/stat"))
		var sum float64
		for _, i := range []int{1, 2, 3} {
			n, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		return sum / 100
	}
	busy0, idle0, began := burned(busy), burned(idle), time.Now()
	busy.run("timeout 3 sh -c 'while :; do :; done'")
	busy1, idle1, took := burned(busy), burned(idle), time.Since(began).Seconds()
	// The true figure, from the cgroup itself: a busy machine gives it less.
	usage := mustRead(t, "/sys/fs/cgroup/cpuacct/"+busy.name+"/cpuacct.usage")
	ns, err := strconv.ParseFloat(strings.TrimSpace(usage), 64)
	if err != nil {
		t.Fatal(err)
	}
	if got, most := busy1-busy0, min(took, ns/1e9)+0.2; got > most || got < ns/1e9*0.5 {
		t.Errorf("burned %.2f s of CPU in %.2f s; the cgroup's usage is %.2f s", got, took, ns/1e9)
	}
	if got := idle1 - idle0; got > 0.5 {
		t.Errorf("the idle container shows %.2f s of CPU", got)
	}
}

func TestNestedContainerHasTheSmallestLimit(t *testing.T) {
	d := start(t)
	outer := newBox(t, d, limits{memory: "268435456"}, nil)
	inner := newBox(t, d, limits{}, outer)
	if got := field(t, inner.run("cat /proc/meminfo"), "MemTotal:"); got != 262144 {
		t.Errorf("inner MemTotal %d kB, want the outer's 262144", got)
	}
	inner.limit(limits{memory: "134217728"})
	if got := field(t, inner.run("cat /proc/meminfo"), "MemTotal:"); got != 131072 {
		t.Errorf("inner MemTotal %d kB, want its own 131072", got)
	}
	if got := field(t, outer.run("cat /proc/meminfo"), "MemTotal:"); got != 262144 {
		t.Errorf("outer MemTotal %d kB, want 262144", got)
	}
}

// Entering from outside does not change what a container is.
func TestEnteredFromOutside(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "134217728"}, nil)
	pid := b.cmd.Process.Pid
	script := fmt.Sprintf(`for c in %s; do echo $$ >$c/cgroup.procs; done; exec nsenter -t $(cat /proc/%d/task/%d/children) -p -m cat /proc/meminfo`,
		strings.Join(b.cgroups, " "), pid, pid)
	text := command(t, "sh", "-c", script)
	if got := field(t, text, "MemTotal:"); got != 131072 {
		t.Errorf("MemTotal %d kB for one who entered, want 131072", got)
	}
}

// Numbers never go backwards or below zero while limits, CPUs and processes
// change and 8 readers read.
func TestNumbersUnderChange(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "268435456"}, nil)
	b.run(`cat >/tmp/$PPID.check <<'EOF' || true
EOF
rm -f /tmp/$PPID.check`)
	// The container's own readers check their own numbers.
	const reader = `awk '
function fail(m) { print "FAIL " m; bad = 1 }
BEGIN {
	for (i = 0; i < 150; i++) {
		while ((getline line < "/proc/stat") > 0) {
			n = split(line, f, " ")
			if (f[1] !~ /^cpu/) continue
			for (k = 2; k <= 5; k++) {
				if (f[k] + 0 < 0 || f[k] + 0 > 1e12) fail(line)
				if (f[1] == "cpu" && f[k] + 0 < last[k] + 0) fail("cpu column " k " went from " last[k] " to " f[k])
				if (f[1] == "cpu") last[k] = f[k]
			}
		}
		close("/proc/stat")
		while ((getline line < "/proc/meminfo") > 0) {
			split(line, f, " ")
			m[f[1]] = f[2]
			if (f[2] + 0 < 0 || f[2] + 0 > 1e12) fail(line)
		}
		close("/proc/meminfo")
		if (m["MemFree:"] + 0 > m["MemTotal:"] + 0) fail("MemFree " m["MemFree:"] " of " m["MemTotal:"])
		if (m["MemAvailable:"] + 0 > m["MemTotal:"] + 0) fail("MemAvailable " m["MemAvailable:"] " of " m["MemTotal:"])
		if (m["SwapFree:"] + 0 > m["SwapTotal:"] + 0) fail("SwapFree " m["SwapFree:"] " of " m["SwapTotal:"])
		getline line < "/proc/uptime"; close("/proc/uptime")
		split(line, f, " ")
		if (f[1] + 0 < up + 0 || f[2] + 0 < 0) fail("uptime " up " then " line)
		up = f[1]
	}
	if (!bad) print "GOOD"
}'`
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		memory := []string{"268435456", "67108864", "536870912"}
		cpus := []string{"0", "1", "0-1"}
		quota := []string{"50000", "150000", "-1"}
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond):
			}
			// A limit below the usage is refused: that is part of the game.
			_ = os.WriteFile("/sys/fs/cgroup/memory/"+b.name+"/memory.limit_in_bytes", []byte(memory[i%3]), 0)
			_ = os.WriteFile("/sys/fs/cgroup/cpuset/"+b.name+"/cpuset.cpus", []byte(cpus[i/3%3]), 0)
			_ = os.WriteFile("/sys/fs/cgroup/cpu/"+b.name+"/cpu.cfs_quota_us", []byte(quota[i/5%3]), 0)
		}
	}()
	var script strings.Builder
	for range 8 {
		fmt.Fprintf(&script, "%s &\n", reader)
	}
	got := b.run(script.String() + "wait")
	close(stop)
	<-done
	if n := strings.Count(got, "GOOD"); n != 8 || strings.Contains(got, "FAIL") {
		t.Errorf("%d of 8 readers content:\n%s", n, got)
	}
}

// A container that somebody moves between cgroups while it reads has the limit
// of one of them each time, and never a broken file.
func TestMovedWhileReading(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "268435456"}, nil)
	other := newBox(t, d, limits{memory: "134217728"}, nil)
	init := b.init()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			to := b.cgroups
			if i%2 == 0 {
				to = other.cgroups
			}
			for _, dir := range to {
				if err := os.WriteFile(dir+"/cgroup.procs", []byte(init), 0); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	got := b.run(`for i in $(seq 100); do awk '/^MemTotal/ { print $2 }' /proc/meminfo; done | sort | uniq -c`)
	close(stop)
	<-done
	b.kill() // it may be in the other's cgroups, which are removed first
	for line := range strings.Lines(got) {
		if f := strings.Fields(line); len(f) != 2 || f[1] != "262144" && f[1] != "131072" {
			t.Errorf("MemTotal: got %q, want 262144 or 131072", line)
		}
	}
}
