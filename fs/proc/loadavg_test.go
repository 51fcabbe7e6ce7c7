package proc

import (
	"errors"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

func TestAppendLoadavg(t *testing.T) {
	const host = "17.63 17.01 17.31 20/483 21837\n"
	for _, tt := range []struct {
		name string
		view view.View
		host string
		want string
	}{
		{"a container", view.View{LoadKnown: true, Load: [3]uint64{2048, 1024, 0}, Running: 2, Threads: 7, LastPID: 30}, host, "1.00 0.50 0.00 2/7 30\n"},
		// atop 2.11 in a unit: "#threads (4) < #procs (128)", and it ended.
		{"in the host's pid namespace", view.View{LoadKnown: true, Running: 1, Threads: 4, LastPID: 21800, HostPIDs: true}, host, "0.00 0.00 0.00 1/483 21837\n"},
		{"not to be shown", view.View{Running: 1, Threads: 1}, host, host},
		{"no count", view.View{LoadKnown: true, Running: 1, Threads: 1}, "0.00 0.00 0.00 2 7\n", ""},
	} {
		got, err := AppendLoadavg(nil, []byte(tt.host), &tt.view)
		if string(got) != tt.want || (tt.want == "") != errors.Is(err, cgroup.ErrFormat) {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}
