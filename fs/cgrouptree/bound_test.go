package cgrouptree

import (
	"errors"
	"syscall"
	"testing"
)

// An init that moves itself down keeps what it had, for the next process as
// well; one that the host moved has what it was moved to.
func TestInitMoves(t *testing.T) {
	w := newWorld(t)
	if got, err := w.moved(1000, "unified/cgroup.procs", "0"); err != nil || got != "1000" {
		t.Fatalf("got %q, %v", got, err)
	}
	w.Files["/proc/1000/cgroup"] = "4:memory:/box/app\n0::/box/app/deep\n"
	for name, tree := range map[string]*Tree{"this process": w.tree, "the next": w.newTree()} {
		if tree != w.tree && w.tree.mark(w.tree.named("unified"), "box") == "" {
			continue // the directory for tests takes no attributes
		}
		w.tree = tree
		for _, tt := range []struct {
			caller uint32
			path   string
			err    error
		}{
			{1000, "unified/box/cgroup.procs", nil},
			{1000, "unified/box/app/deep/cgroup.procs", nil},
			{1000, "unified/other", syscall.ENOENT},
			{1000, "memory/box/app/deep/cgroup.procs", nil},
			{1000, "memory/box/cgroup.procs", syscall.ENOENT},
		} {
			if _, _, err := w.walk(tt.caller, tt.path); !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Errorf("%s, %s: got %v, want %v", name, tt.path, err, tt.err)
			}
		}
	}
}
