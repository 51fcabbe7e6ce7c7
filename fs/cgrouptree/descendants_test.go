package cgrouptree

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
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
	if _, _, err := w.tree.Mkdir(w.caller(2001), w.mustWalk(2001, "unified/other"), "new", 0o755); err != nil {
		t.Errorf("in another container: %v", err)
	}
	if _, _, err := w.tree.Mkdir(w.caller(1001), w.mustWalk(1001, "memory/box"), "new", 0o755); err != nil {
		t.Errorf("on v1: %v", err)
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
