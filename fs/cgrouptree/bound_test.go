package cgrouptree

import (
	"errors"
	"syscall"
	"testing"
)

// mark returns the mark of a cgroup of v2 right below the root.
func (w *world) mark(name string) string {
	for _, m := range w.tree.marks(w.tree.named("unified"), name) {
		return m.text
	}
	return ""
}

// An init that moves itself down keeps what it had, for the next process as
// well; one that the host moved has what it was moved to.
func TestInitMoves(t *testing.T) {
	w := newWorld(t)
	if got, err := w.moved(1000, "unified/cgroup.procs", "0"); err != nil || got != "1000" {
		t.Fatalf("got %q, %v", got, err)
	}
	w.Files["/proc/1000/cgroup"] = "4:memory:/box/app\n0::/box/app/deep\n"
	for name, tree := range map[string]*Tree{"this process": w.tree, "the next": w.newTree()} {
		if tree != w.tree && w.mark("box") == "" {
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

// One who came from outside is above the cgroup that the init moved to: the
// mark says whose container it is, unless the init is another's or gone.
func TestAttachedAboveTheInit(t *testing.T) {
	w := newWorld(t)
	if _, err := w.moved(1000, "unified/cgroup.procs", "0"); err != nil {
		t.Fatal(err)
	}
	h := w.tree.named("unified")
	if w.mark("box") != "1000 100000" {
		t.Logf("the directory for tests takes no attributes; have mark %q", w.mark("box"))
		return
	}
	w.Files["/proc/1000/cgroup"] = "4:memory:/box/app/deep\n0::/box/app/deep\n"
	w.tree = w.newTree()
	key := w.mustWalk(1700, "unified/box/cgroup.procs")
	text, err := w.tree.Append(nil, w.caller(1700), key)
	if err != nil || string(text) != "1\n9\n40\n" {
		t.Errorf("got %q, %v", text, err)
	}
	if got, err := w.moved(1700, "unified/cgroup.procs", "1"); err != nil || got != "1000" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, text := range map[string]string{"another start": "1000 99", "not an init": "1001 100100", "elsewhere": "2000 200000", "nonsense": "x"} {
		w.tree.setMark(h, "box", text)
		if _, _, err := w.walk(1700, "unified/box"); !errors.Is(err, syscall.ENOENT) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
