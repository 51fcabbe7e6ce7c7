//go:build integration

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// visit moves the client through the cgroups 0 to count-1 of a directory, by the host's files, and reads a file in each.
func visit(dir, file string, count int) (wrong int, err error) {
	want, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	total, _, _ := strings.Cut(string(want), "\n")
	for i := range count {
		if err := writeOnce(filepath.Join(dir, strconv.Itoa(i), "cgroup.procs"), "0"); err != nil {
			return wrong, err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return wrong, err
		}
		if !strings.HasPrefix(string(text), total) {
			wrong++
		}
	}
	return wrong, nil
}

// count counts the directories in one, and reads a file in the first 300 of them.
func count(dir, file string) (found, failed int, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if found++; found > 300 {
			continue
		}
		if _, err := os.ReadFile(filepath.Join(dir, e.Name(), file)); err != nil {
			failed++
		}
	}
	return found, failed, err
}

// manyCgroups is how many TestManyCgroups makes.
func manyCgroups() int {
	if n, err := strconv.Atoi(os.Getenv("LXCFS_TEST_CGROUPS")); err == nil {
		return n
	}
	return 5000
}

// processTicks is the CPU time of a process, in USER_HZ.
func processTicks(t *testing.T, pid int) int {
	t.Helper()
	text := mustRead(t, fmt.Sprintf("/proc/%d/stat", pid))
	f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return user + system
}

// A container with very many cgroups, whose names are as long as they may be: they are listed and read, processes in
// them have the container's numbers, and the daemon stays as large as it was, nearly.
func TestManyCgroups(t *testing.T) {
	const maxVisits = 20_000
	boundKB := uint64(128 << 10)
	if raceEnabled {
		boundKB *= 4 // it keeps a shadow of all memory that was ever used
	}
	hierarchies := []string{"systemd", "unified", "pids"}
	long := strings.TrimPrefix(strings.Repeat("/"+strings.Repeat("x", 250), 12), "/") // /proc/PID/cgroup has 4096 bytes for one at most
	many := manyCgroups()
	d := start(t, "--enable-cgroup")
	j, victim := newJail(t, d, "start", jailName()), newJail(t, d, "start", jailName())
	pid, began, spent := d.cmd.Process.Pid, time.Now(), 0
	report := func(what, result string) {
		kb, ticks := resident(t, pid), processTicks(t, pid)
		t.Logf("%s: %s in %v, %d ms of the daemon's; %d kB resident", strings.ReplaceAll(what, long, "..."), result,
			time.Since(began).Round(time.Millisecond), 10*(ticks-spent), kb)
		if kb > boundKB {
			t.Errorf("%d kB resident, want at most %d", kb, boundKB)
		}
		began, spent = time.Now(), ticks
	}
	dirs := make(map[string]string)
	for _, h := range hierarchies {
		dirs[h] = filepath.Join("/sys/fs/cgroup", h, j.name, long)
		for i := range many {
			if err := os.MkdirAll(filepath.Join(dirs[h], strconv.Itoa(i)), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	report(fmt.Sprintf("%d cgroups in each of %q", many, hierarchies), "made")
	take := func(want, step string) {
		t.Helper()
		got := j.do(step)
		report(step, got)
		if !strings.HasPrefix(got, want) {
			t.Errorf("%.40s...: %s, want %s", step, got, want)
		}
	}
	for _, h := range hierarchies {
		take(fmt.Sprintf("found=%d failed=0", many), fmt.Sprintf("count %s/C/%s cgroup.procs", h, long))
	}
	for _, h := range hierarchies {
		take("wrong=0", fmt.Sprintf("visit %s ../proc/meminfo %d", dirs[h], min(many, maxVisits)))
		take("", fmt.Sprintf("visit %s ../proc/loadavg %d", dirs[h], min(many, maxVisits)))
	}
	for _, file := range []string{"../proc/loadavg", "memory/C/cgroup.procs"} {
		if text := victim.do(fmt.Sprintf("sample %s 20 10", file)); strings.HasPrefix(text, "p50=") {
			report("victim's "+file, text)
		} else {
			t.Errorf("victim's %s: %s", file, text)
		}
	}
}
