package unit

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/hooks/bind"
)

var update = flag.Bool("update", false, "write lxcfs-view.conf anew")

// The file that is installed is what DropIn makes of the table.
func TestInstalledFile(t *testing.T) {
	want := DropIn(bind.Mountpoint, bind.Files())
	if *update {
		if err := os.WriteFile(FileName, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(FileName)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the table says (%v): go test ./hooks/unit -update", FileName, err)
	}
}

func TestDropIn(t *testing.T) {
	got := DropIn("/mnt/a b:c%d", []string{"/proc/stat"})
	if want := `BindReadOnlyPaths=-/mnt/a\x20b\:c%%d/proc/stat:/proc/stat` + "\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want at its end %q", got, want)
	}
}

func TestDirectory(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"nginx", "/etc/nginx.service.d"},
		{"nginx.service", "/etc/nginx.service.d"},
		{"getty@tty1.service", "/etc/getty@tty1.service.d"},
		{"getty@", "/etc/getty@.service.d"},
		{`a\x2db.service`, `/etc/a\x2db.service.d`},
		{"a/../b.service", ""}, {"../x", ""}, {"", ""}, {".service", ""}, {"x.socket", ""},
		{"lxcfs", ""}, {"a b.service", ""}, {strings.Repeat("x", 256), ""},
	} {
		got, err := Directory("/etc", tt.name)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := Directory("/etc", "x.socket"); !errors.Is(err, ErrName) {
		t.Errorf("got %v, want ErrName", err)
	}
}

func TestInstallAndRemove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x.service.d")
	name, err := Install(dir, "text")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "text" {
		t.Errorf("got %q, %v", got, err)
	}
	for range 2 { // the second time there is nothing
		if err := Remove(dir); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	other := filepath.Join(dir, "other.conf")
	if _, err := Install(dir, "text"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Remove(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("somebody else's drop-in: %v", err)
	}
}
