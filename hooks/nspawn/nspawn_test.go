package nspawn

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var paths = []string{"/proc/meminfo", "/proc/pressure/io", "/sys/devices/system/cpu/online"}

func TestSettings(t *testing.T) {
	want := `# Written by lxcfsctl nspawn.
[Files]
BindReadOnly=/var/lib/lxcfs:/run/host/lxcfs
BindReadOnly=/run/host/lxcfs/proc/meminfo:/proc/meminfo
BindReadOnly=/run/host/lxcfs/proc/pressure/io:/proc/pressure/io
BindReadOnly=/var/lib/lxcfs/sys/devices/system/cpu/online:/sys/devices/system/cpu/online
`
	if got := Settings("/var/lib/lxcfs", paths); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestArguments(t *testing.T) {
	got := Arguments(`/a:b\c`, paths[:1])
	want := []string{`--bind-ro=/a\:b\\c:/run/host/lxcfs`, "--bind-ro=/run/host/lxcfs/proc/meminfo:/proc/meminfo"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFile(t *testing.T) {
	if got, err := File("/etc", "my-ct"); got != "/etc/my-ct.nspawn" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, machine := range []string{"", "../x", ".x", "a/b", strings.Repeat("x", 65)} {
		if got, err := File("/etc", machine); err == nil {
			t.Errorf("%q: got %q, want an error", machine, got)
		}
	}
}

func TestInstallAndRemove(t *testing.T) {
	name := filepath.Join(t.TempDir(), "nspawn", "ct.nspawn")
	for range 2 { // again over what is ours
		if err := Install(name, Settings("/var/lib/lxcfs", paths)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(name, []byte("[Exec]\nBoot=yes\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Install(name, "x"); !errors.Is(err, ErrForeign) {
		t.Errorf("got %v, want ErrForeign", err)
	}
	if err := Remove(name); !errors.Is(err, ErrForeign) {
		t.Errorf("got %v, want ErrForeign", err)
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "[Exec]\nBoot=yes\n" {
		t.Errorf("got %q, %v", text, err)
	}
}
