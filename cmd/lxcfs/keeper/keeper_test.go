package keeper

import (
	"bytes"
	"syscall"
	"testing"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
	"linuxcontainers.org/lxcfs/units/fdstore"
)

// An orderly stop warns of nothing: it was "worker died" with "signal -1".
func TestLogEndOfWorker(t *testing.T) {
	for _, row := range []struct {
		wait syscall.WaitStatus
		want string
	}{
		{0, "lxcfs: level=INFO msg=\"worker ended\" pid=7\n"},
		{syscall.WaitStatus(syscall.SIGTERM), "lxcfs: level=INFO msg=\"worker ended\" pid=7\n"},
		{syscall.WaitStatus(syscall.SIGKILL), "lxcfs: level=WARN msg=\"worker died\" pid=7 signal=killed\n"},
		{1 << 8, "lxcfs: level=WARN msg=\"worker died\" pid=7 status=1\n"},
	} {
		var out bytes.Buffer
		logKeeper(logs.New(&out, false), fdstore.Event{Kind: fdstore.Died, PID: 7, Wait: row.wait})
		if out.String() != row.want {
			t.Errorf("%v: got %q, want %q", row.wait, out.String(), row.want)
		}
	}
}
