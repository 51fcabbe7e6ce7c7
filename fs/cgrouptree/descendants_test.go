package cgrouptree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A container with very many cgroups makes no more, wherever in it; another one does.
func TestMkdirIsBounded(t *testing.T) {
	w := newWorld(t)
	w.append("unified", "box/cgroup.stat", fmt.Sprintf("nr_descendants %d\nnr_dying_descendants 0\n", maxDescendants))
	w.append("unified", "box/app/cgroup.stat", "nr_descendants 0\n")
	for _, dir := range []string{"unified/box", "unified/box/app"} {
		if _, _, err := w.tree.Mkdir(w.caller(1001), w.mustWalk(1001, dir), "new", 0o755); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("in %s: got %v, want EAGAIN", dir, err)
		}
	}
	_, _, err := w.tree.Mkdir(w.caller(2001), w.mustWalk(2001, "unified/other"), "new", 0o755)
	if os.Getuid() != 0 && errors.Is(err, syscall.EACCES) {
		err = nil // it was made, with mode 0, which only root can open then
	}
	if err != nil {
		t.Errorf("in another container: %v", err)
	}
}

// On v1, where the kernel does not count them, we do.
func TestMkdirIsBoundedOnV1(t *testing.T) {
	w := newWorld(t)
	for i := range maxDescendants - 8 { // there are app, deep and in
		if err := os.Mkdir(w.path("memory", "box/app/"+strconv.Itoa(i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		_, _, err := w.tree.Mkdir(w.caller(1001), w.mustWalk(1001, "memory/box"), "new"+strconv.Itoa(i), 0o755)
		if want := i >= 5; errors.Is(err, syscall.EAGAIN) != want {
			t.Errorf("after %d: got %v, want EAGAIN: %t", i, err, want)
		}
	}
}

// Those that are in others count too; who counts stops when there are enough.
func TestCountBelow(t *testing.T) {
	top := t.TempDir()
	if err := os.MkdirAll(filepath.Join(top, "a/b/c"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"a/d", "e"} {
		if err := os.Mkdir(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(top, "a/tasks"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(top, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for enough, want := range map[int]int{1: 1, 2: 2, 4: 4, 100: 5} {
		if got := countBelow(fd, enough); got != want {
			t.Errorf("up to %d: got %d, want %d", enough, got, want)
		}
	}
}

func TestParseDescendants(t *testing.T) {
	for text, want := range map[string]int{
		"nr_descendants 12\nnr_dying_descendants 3\n": 12,
		"nr_dying_descendants 3\nnr_descendants 4":    4,
		"nr_descendants x\n":                          0,
		"":                                            0,
	} {
		if got := parseDescendants([]byte(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func FuzzParseDescendants(f *testing.F) {
	f.Add([]byte("nr_descendants 12\nnr_dying_descendants 3\n"))
	f.Fuzz(func(t *testing.T, text []byte) { parseDescendants(text) })
}
