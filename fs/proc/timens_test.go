package proc

import (
	"strings"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/fs/view"
)

// btime is that of the reader's time namespace: with the host's, and start times
// that the kernel shifts, "ps -o lstart" was ten days in the future.
func TestBootTime(t *testing.T) {
	const host = "cpu  1 0 1 1\nbtime 1795492591\nprocesses 9\n"
	for _, test := range []struct {
		offset time.Duration
		line   string
		want   string
	}{
		{0, "btime 1795492591", "btime 1795492591"},
		{864000 * time.Second, "btime 1795492591", "btime 1794628591"},
		{-3600 * time.Second, "btime 1795492591", "btime 1795496191"},
		{1500 * time.Millisecond, "btime 1795492591", "btime 1795492589"},
		{-1500 * time.Millisecond, "btime 1795492591", "btime 1795492592"},
		{time.Hour, "btime 5", "btime 0"},
		{-time.Hour, "btime 18446744073709551615", "btime 18446744073709551615"},
		{0, "btime x", "btime x"}, // not ours to read
		{time.Second, "btime x", ""},
		{time.Second, "btime 1 2", ""},
		{time.Second, "btime", ""},
	} {
		v := &view.View{ClockOffset: test.offset}
		got, err := AppendStat(nil, []byte(strings.Replace(host, "btime 1795492591", test.line, 1)), v)
		if (err != nil) != (test.want == "") {
			t.Errorf("%q, %v: %v", test.line, test.offset, err)
		} else if err == nil && !strings.Contains(string(got), "\n"+test.want+"\n") {
			t.Errorf("%q, %v: got %q, want %q in it", test.line, test.offset, got, test.want)
		}
	}
}
