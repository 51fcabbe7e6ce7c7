//go:build integration

package attach

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/hooks/bind"
	"linuxcontainers.org/lxcfs/units/mount"
)

// inNamespace runs f in a mount namespace of its own: on a thread that ends
// with it.
func inNamespace(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skipf("needs root; have: uid %d", os.Getuid())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			t.Errorf("unshare: %v", err)
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Errorf("private mounts: %v", err)
			return
		}
		f(t)
	}()
	<-done
}

// files makes files whose content is their name.
func files(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// looked is what there is to be planned with in this thread's namespace.
func looked(t *testing.T) *planner {
	t.Helper()
	table := parse(t, content(t, "/proc/thread-self/mountinfo")).Reachable()
	return &planner{table: table, index: table.Index()}
}

func here(t *testing.T, dir string) int {
	t.Helper()
	fd, err := open(dir, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		t.Error(err)
	}
	return fd
}

func newApplier(t *testing.T, tree string, changes []Change) *applier {
	t.Helper()
	a := &applier{places: newPlaces(looked(t), here(t, "/"), here(t, "/proc/thread-self")), clones: make(map[string]int)}
	for _, c := range changes {
		if c.source == "" {
			continue
		}
		fd, err := bind.Clone(tree, c.source)
		if err == nil {
			a.clones[c.Path] = fd
		}
	}
	return a
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// Either all is done, or all is taken back.
func TestApply(t *testing.T) {
	for _, tt := range []struct {
		name   string
		last   string // what the last change binds
		a, b   string // what is to be seen
		failed string
	}{
		{"all", "new-c", "new-a", "b", ""},
		{"one fails", "missing", "a", "old-b", "missing is not served"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree, dir := t.TempDir(), t.TempDir()
			files(t, tree, "new-a", "new-c", "old-b")
			files(t, dir, "a", "b", "c")
			inNamespace(t, func(t *testing.T) {
				a, b, c := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")
				if err := unix.Mount(filepath.Join(tree, "old-b"), b, "", unix.MS_BIND, ""); err != nil {
					t.Error(err)
					return
				}
				old, _ := looked(t).index.At(b)
				changes := []Change{
					{Path: a, Action: Bind, source: "new-a"},
					{Path: b, Action: Remove, layers: []mount.Entry{old}},
					{Path: filepath.Join(dir, "none"), Action: Bind, source: "new-a"},
					{Path: c, Action: Bind, source: tt.last},
				}
				err := newApplier(t, tree, changes).apply(changes)
				if tt.failed == "" && err != nil || tt.failed != "" && (err == nil || !strings.Contains(err.Error(), tt.failed)) {
					t.Errorf("got %v, want %q", err, tt.failed)
				}
				if got := content(t, a); got != tt.a {
					t.Errorf("a: got %q, want %q", got, tt.a)
				}
				if got := content(t, b); got != tt.b {
					t.Errorf("b: got %q, want %q", got, tt.b)
				}
				if got := changes[2].Action; got != Skip {
					t.Errorf("a path that is not there: got %q", got)
				}
			})
		})
	}
}

// What was judged is what is used: when the container mounts something else there
// in between, or puts a link in the place of a directory, nothing is changed.
func TestApplyWhatWasJudged(t *testing.T) {
	for _, tt := range []struct {
		name string
		swap func(t *testing.T, dir string) error
	}{
		{"a mount on the directory", func(t *testing.T, dir string) error {
			err := unix.Mount("none", dir, "tmpfs", 0, "")
			files(t, dir, "a", "b")
			return err
		}},
		{"mounts on the files", func(t *testing.T, dir string) error {
			other := t.TempDir()
			files(t, other, "x")
			return errors.Join(unix.Mount(other+"/x", dir+"/a", "", unix.MS_BIND, ""), unix.Mount(other+"/x", dir+"/b", "", unix.MS_BIND, ""))
		}},
		{"a link in the place of the directory", func(t *testing.T, dir string) error {
			other := t.TempDir()
			files(t, other, "a", "b")
			err := unix.Mount(other+"/a", other+"/b", "", unix.MS_BIND, "")
			return errors.Join(err, os.Rename(dir, dir+".old"), os.Symlink(other, dir))
		}},
	} {
		for _, what := range []string{"bind", "remove"} {
			t.Run(tt.name+", "+what, func(t *testing.T) {
				tree, dir := t.TempDir(), filepath.Join(t.TempDir(), "dir")
				files(t, tree, "new")
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				files(t, dir, "a", "b")
				inNamespace(t, func(t *testing.T) {
					a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
					if err := unix.Mount(filepath.Join(tree, "new"), b, "", unix.MS_BIND, ""); err != nil {
						t.Error(err)
						return
					}
					old, _ := looked(t).index.At(b)
					changes := []Change{{Path: a, Action: Bind, source: "new"}}
					if what == "remove" {
						changes = []Change{{Path: b, Action: Remove, layers: []mount.Entry{old}}}
					}
					apply := newApplier(t, tree, changes)
					if err := tt.swap(t, dir); err != nil {
						t.Error(err)
						return
					}
					before := content(t, "/proc/thread-self/mountinfo")
					if err := apply.apply(changes); err == nil {
						t.Error("no error")
					}
					if after := content(t, "/proc/thread-self/mountinfo"); after != before {
						t.Errorf("mounts changed:\n%s\nwere\n%s", after, before)
					}
				})
			})
		}
	}
}
