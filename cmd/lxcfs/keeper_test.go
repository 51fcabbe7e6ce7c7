package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

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
		logKeeper(newLogger(&out, false), fdstore.Event{Kind: fdstore.Died, PID: 7, Wait: row.wait})
		if out.String() != row.want {
			t.Errorf("%v: got %q, want %q", row.wait, out.String(), row.want)
		}
	}
}

// A mount that can't be made is no reason to start again, whoever supervises: no
// directory is there, here, which comes before /dev/fuse is opened or a mount is made.
func TestHopelessMount(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mountpoint := range []string{filepath.Join(dir, "none"), filepath.Join(file, "below"), file} {
		for _, role := range []string{"--keeper", "-f"} {
			var out, errs bytes.Buffer
			if status := run([]string{role, "--runtime-dir", dir, mountpoint}, &out, &errs); status != exitHopeless {
				t.Errorf("%s %s: status %d, want %d: %s", role, mountpoint, status, exitHopeless, &errs)
			}
		}
	}
	if got := exitStatus(lasting(errors.Join(syscall.ENOMEM))); got != exitFailure {
		t.Errorf("a shortage: status %d, want %d", got, exitFailure)
	}
}
