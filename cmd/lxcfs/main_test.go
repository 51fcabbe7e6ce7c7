package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
)

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
			if status := run([]string{role, "--runtime-dir", dir, mountpoint}, &out, &errs); status != process.ExitHopeless {
				t.Errorf("%s %s: status %d, want %d: %s", role, mountpoint, status, process.ExitHopeless, &errs)
			}
		}
	}
	if got := process.ExitStatus(process.Lasting(errors.Join(syscall.ENOMEM))); got != process.ExitFailure {
		t.Errorf("a shortage: status %d, want %d", got, process.ExitFailure)
	}
}
