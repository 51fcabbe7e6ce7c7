package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/hooks/bind"
)

func TestReadState(t *testing.T) {
	for _, tt := range []struct{ name, in, bundle, wrong string }{
		{"runc's", `{"ociVersion":"1.2.0","id":"c1","status":"creating","pid":7,"bundle":"/run/c1","annotations":{"a":"b"}}`, "/run/c1", ""},
		{"no annotations", `{"id":"c1","bundle":"/run/c1"}`, "/run/c1", ""},
		{"nothing", "", "", "unexpected end"},
		{"no bundle", `{"id":"c1"}`, "", "no absolute path"},
		{"a relative bundle", `{"id":"c1","bundle":"run"}`, "", "no absolute path"},
		{"another type", `{"id":1,"bundle":"/run/c1"}`, "", "cannot unmarshal"},
		{"more after it", `{"bundle":"/run/c1"} x`, "", "invalid character"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadState(strings.NewReader(tt.in))
			if got.Bundle != tt.bundle {
				t.Errorf("got %q, want %q", got.Bundle, tt.bundle)
			}
			if tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("got %v, want %q", err, tt.wrong)
			}
		})
	}
}

func TestRoot(t *testing.T) {
	bundle := t.TempDir()
	for _, tt := range []struct{ name, config, want, wrong string }{
		{"relative", `{"root":{"path":"rootfs"}}`, bundle + "/rootfs", ""},
		{"absolute", `{"root":{"path":"/run/rootfs/"}}`, "/run/rootfs", ""},
		{"none", `{}`, "", "no root.path"},
		{"the host's", `{"root":{"path":"/run/.."}}`, "", "host's"},
		{"no JSON", `x`, "", "invalid character"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(tt.config), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := State{Bundle: bundle}.Root()
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("got %v, want %q", err, tt.wrong)
			}
		})
	}
	if _, err := (State{Bundle: "/no/such"}).Root(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that it does not exist", err)
	}
}

// Whatever a runtime or an image says, nothing panics and the host's root is none.
func FuzzStateAndRoot(f *testing.F) {
	f.Add([]byte(`{"id":"c1","bundle":"/run/c1","annotations":{"a":"b"}}`), []byte(`{"root":{"path":"rootfs"}}`))
	f.Add([]byte(`{"bundle":"/"}`), []byte(`{"root":{"path":"../../.."}}`))
	f.Add([]byte(`{"bundle":"relative/../.."}`), []byte(`[[[[[[[[`))
	f.Fuzz(func(t *testing.T, state, config []byte) {
		if s, err := ReadState(bytes.NewReader(state)); err == nil && !filepath.IsAbs(s.Bundle) {
			t.Errorf("got bundle %q", s.Bundle)
		}
		bundle := t.TempDir()
		if err := os.WriteFile(filepath.Join(bundle, "config.json"), config, 0o644); err != nil {
			t.Fatal(err)
		}
		if root, err := (State{Bundle: bundle}).Root(); err == nil && (root == "/" || !filepath.IsAbs(root) || root != filepath.Clean(root)) {
			t.Errorf("got root %q", root)
		}
	})
}

// A state without end is refused and not kept in memory.
func TestReadStateOfAnySize(t *testing.T) {
	if _, err := ReadState(io.MultiReader(strings.NewReader(`{"bundle":"`), endless{})); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v, want that it is too long", err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// A root that is a link to this process's own is the host's, however it is spelled.
func TestRootThatLeadsToTheHost(t *testing.T) {
	link := filepath.Join(t.TempDir(), "rootfs")
	if err := os.Symlink("/", link); err != nil {
		t.Fatal(err)
	}
	if fd, err := openRoot(link); !errors.Is(err, errHostRoot) {
		t.Errorf("got %d, %v, want errHostRoot", fd, err)
	}
}

func TestBindWithoutLxcfs(t *testing.T) {
	if err := Bind(t.TempDir(), t.TempDir()); !errors.Is(err, bind.ErrNothing) {
		t.Errorf("got %v, want ErrNothing", err)
	}
}

// What podman and CRI-O require of a file in hooks.d (oci-hooks(5)).
func TestHooksD(t *testing.T) {
	text, err := os.ReadFile("50-lxcfs.json.in")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Version string
		Hook    struct {
			Path    string
			Args    []string
			Timeout int
		}
		When   map[string]any
		Stages []string
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if file.Version != "1.0.0" || filepath.Base(file.Hook.Path) != file.Hook.Args[0] || file.Hook.Timeout <= 0 ||
		file.When["always"] != true || !slices.Equal(file.Stages, []string{"createContainer"}) {
		t.Errorf("got %+v", file)
	}
}
