//go:build integration

package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func needTimeNamespaces(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/proc/self/timens_offsets"); err != nil {
		t.Skipf("needs time namespaces; have: %v", err)
	}
}

// tenDays are a time namespace whose boot clock is ten days ahead.
const tenDays = "unshare --time --boottime 864000 "

// In a time namespace the kernel shifts the start times of processes for whoever
// reads them; boot time and uptime are then those of that namespace too. ps said
// that processes were started ten days from now.
func TestTimeNamespace(t *testing.T) {
	needTimeNamespaces(t)
	d := start(t)
	b := newBox(t, d, limits{}, nil)
	btime := func(text string) uint64 { return field(t, text, "btime") }
	const read = "cat /proc/stat /proc/uptime"
	kernels := btime(command(t, "sh", "-c", tenDays+"cat /proc/stat"))
	if got := btime(b.run(tenDays + read)); got != kernels {
		t.Errorf("btime %d, want the kernel's %d", got, kernels)
	}
	if got, want := btime(b.run(read)), btime(mustRead(t, "/proc/stat")); got != want {
		t.Errorf("btime %d outside of the time namespace, want the host's %d", got, want)
	}
	before := seconds(t, mustRead(t, "/proc/uptime"))
	up := seconds(t, b.run(tenDays+"cat /proc/uptime"))
	after := seconds(t, mustRead(t, "/proc/uptime"))
	if up < before+864000-0.02 || up > after+864000+0.02 {
		t.Errorf("up %.2f s, want what the boot clock says, between %.2f and %.2f", up, before+864000, after+864000)
	}
	if up := seconds(t, b.run("cat /proc/uptime")); up > 864000 {
		t.Errorf("up %.2f s outside of the time namespace", up)
	}
}

// What tools make of it: when the process started, for how long it runs, and
// since when the machine is up.
func TestToolsInTimeNamespace(t *testing.T) {
	needTimeNamespaces(t)
	d := start(t)
	b := newBox(t, d, limits{}, nil)
	began := time.Now().Add(-2 * time.Second) // ps counts in ticks, btime in seconds
	text := b.run(tenDays + `sh -c 'LC_ALL=C TZ=UTC ps -o lstart= -p $$; ps -o etimes= -p $$; uptime -s; date +%s; uptime -p'`)
	ended := time.Now().Add(2 * time.Second)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) < 5 {
		t.Fatalf("got %q", text)
	}
	started, err := time.Parse("Mon Jan _2 15:04:05 2006", strings.TrimSpace(lines[0]))
	if err != nil || started.Before(began) || started.After(ended) {
		t.Errorf("ps -o lstart: %q, %v, want a time between %v and %v", lines[0], err, began.UTC(), ended.UTC())
	}
	var age float64
	if _, err := fmt.Sscan(lines[1], &age); err != nil || age > ended.Sub(began).Seconds() {
		t.Errorf("ps -o etimes: %q, %v, want at most %v s", lines[1], err, ended.Sub(began).Seconds())
	}
	if !strings.Contains(lines[4], "week") {
		t.Errorf("uptime -p: %q, want a week and more", lines[4])
	}
}

// The clock is that of the reader, and the container's own when it was made with
// one: LXC's lxc.time.offset.boot.
func TestContainerInTimeNamespace(t *testing.T) {
	needTimeNamespaces(t)
	d := start(t)
	b := newBox(t, d, limits{}, nil)
	script := fmt.Sprintf(`for c in %s; do echo $$ >$c/cgroup.procs; done
exec unshare --time --boottime 864000 --pid --fork sh -c 'cat %s; exit'`, strings.Join(b.cgroups, " "), d.path("proc/uptime"))
	if up := seconds(t, command(t, "sh", "-c", script)); up < 864000 {
		t.Errorf("up %.2f s in a container whose boot clock is ten days ahead", up)
	}
}
