//go:build integration

package integration

import (
	"fmt"
	"strings"
	"testing"
)

// Of a container whose requests hang in the daemon, no reader is shown the host's
// numbers, however many there are: they wait, or are refused. Nobody else notices.
func TestHungContainerSeesNoHost(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "536870912"}, nil)
	neighbour := newBox(t, d, limits{memory: "268435456"}, nil)
	dir := t.TempDir()
	release := b.stick()
	const readers = 300 // more than a session has workers for
	b.run(fmt.Sprintf("i=0; while [ $i -lt %d ]; do cat /proc/meminfo >%s/$i 2>&1 & i=$((i+1)); done", readers, dir))
	waitFor(t, "the daemon to be stuck", func() bool { return blocked(d.cmd.Process.Pid) })
	for range 30 {
		if got := field(t, neighbour.run("cat /proc/meminfo"), "MemTotal:"); got != 262144 {
			t.Fatalf("MemTotal %d kB in the neighbour, want 262144", got)
		}
	}
	waitFor(t, "somebody to be refused", func() bool { return strings.Contains(mustRead(t, dir+"/299"), "busy") })
	release()
	waitFor(t, "the readers to end", func() bool { return strings.TrimSpace(b.run("pgrep -c -x cat || true")) == "0" })
	refused, hung := 0, 0
	for i := range readers {
		switch text := mustRead(t, fmt.Sprint(dir, "/", i)); {
		case strings.Contains(text, "Device or resource busy"):
			refused++
		case !strings.Contains(text, "MemTotal:         524288 kB"):
			hung++
		}
	}
	// Those that hung were given an empty file for their usage in the end, as no kernel
	// has it, and that is a fallback.
	if hung > 8 {
		t.Errorf("%d readers were shown the host's numbers, want 8 at most", hung)
	}
	t.Logf("%d of %d readers were refused", refused, readers)
}
