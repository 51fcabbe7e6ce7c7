package ways

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Every way reads an ordinary file, or is not to be had here.
func TestWays(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcde\n"), 700)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, w := range All() {
		got, err := w.Read(path)
		if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
			t.Logf("%s: %v", w.Name, err)
			continue
		}
		// tmpfs may refuse O_DIRECT, and any file a piece that is no block.
		if w.Flags != 0 && errors.Is(err, unix.EINVAL) {
			continue
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v, want %d", w.Name, len(got), err, len(want))
		}
	}
}

func TestEndless(t *testing.T) {
	for _, w := range All() {
		if w.Name == "pread of 1048576 bytes" {
			if _, err := w.Read("/dev/zero"); !errors.Is(err, ErrEndless) {
				t.Errorf("%s of /dev/zero: %v", w.Name, err)
			}
			return
		}
	}
	t.Error("no such way")
}
