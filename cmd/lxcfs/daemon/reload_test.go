package daemon

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/config"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
)

// The second of two signals that find the same is no reload.
func TestEchoOfAReload(t *testing.T) {
	now := time.Now()
	first := loaded{config.Config{LogLevel: config.LogInfo}, nil, now}
	for _, row := range []struct {
		name   string
		l      loaded
		before *loaded
		want   bool
	}{
		{"the first", first, nil, false},
		{"the same", loaded{first.config, nil, now.Add(time.Second)}, &first, true},
		{"the same, later", loaded{first.config, nil, now.Add(echoTime)}, &first, false},
		{"another", loaded{config.Config{LogLevel: config.LogInfo + 1}, nil, now}, &first, false},
		{"a mistake", loaded{first.config, errors.New("x"), now}, &first, false},
		{"the same mistake", loaded{first.config, errors.New("x"), now}, &loaded{first.config, errors.New("x"), now}, true},
		{"another mistake", loaded{first.config, errors.New("y"), now}, &loaded{first.config, errors.New("x"), now}, false},
	} {
		if got := row.l.echoes(row.before); got != row.want {
			t.Errorf("%s: got %v", row.name, got)
		}
	}
}

func TestCheckConfig(t *testing.T) {
	root := t.TempDir()
	var out bytes.Buffer
	log := logs.New(&out, false)
	if err := CheckConfig(root, log); err != nil || out.Len() > 0 {
		t.Errorf("no files: %v, %q", err, &out)
	}
	dir := filepath.Join(root, "etc/lxcfs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lxcfs.conf"), []byte("[View]\ncpu=everything\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := CheckConfig(root, log); !errors.Is(err, errConfig) || !strings.Contains(out.String(), "file=/etc/lxcfs/lxcfs.conf line=2") {
		t.Errorf("a mistake: %v, %q", err, &out)
	}
}
