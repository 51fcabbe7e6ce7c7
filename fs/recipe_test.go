package fs

import (
	"fmt"
	"path"
	"slices"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/proc"
	"linuxcontainers.org/lxcfs/fs/served"
	"linuxcontainers.org/lxcfs/fs/sys"
	"linuxcontainers.org/lxcfs/fs/view"
)

// wrong says what a table and the renderers lack of each other, and what is wrong
// with the numbers.
func wrong(paths []served.Path, files []view.File) (list []string) {
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	kind, at := make(map[string]served.Kind), make(map[uint16]string)
	for _, p := range paths {
		if other, taken := at[p.Index]; taken {
			say("%s has the number %d of %s", p.Name, p.Index, other)
		}
		if leads := p.Kind == served.Directory || p.Kind == served.Tree; leads != (p.Index < served.FirstFile) {
			say("%s has the number %d: directories are below %d", p.Name, p.Index, served.FirstFile)
		}
		kind[p.Name], at[p.Index] = p.Kind, p.Name
	}
	for _, p := range paths {
		if above, ok := kind[path.Dir(p.Name)]; !ok || above == served.File {
			say("%s has no directory", p.Name)
		}
		if p.Kind == served.File && !slices.ContainsFunc(files, func(f view.File) bool { return f.Path == p.Name }) {
			say("%s has no renderer", p.Name)
		}
	}
	for _, f := range files {
		if kind[f.Path] != served.File {
			say("%s is not in the table", f.Path)
		}
	}
	return list
}

// Each renderer has a line in the table, and each file there a renderer.
func TestTableIsComplete(t *testing.T) {
	if got := wrong(served.Paths(), slices.Concat(proc.Files(), sys.Files())); len(got) > 0 {
		t.Errorf("%q", got)
	}
}

// Who follows CONTRIBUTING.md's "To add a file" has a file that is served and bound,
// and who leaves a step out is told.
func TestAddAFile(t *testing.T) {
	paths, files := slices.Clip(served.Paths()), slices.Clip(slices.Concat(proc.Files(), sys.Files()))
	line := served.Path{Index: 15999, Name: "/proc/new", Kind: served.File}
	renderer := view.File{Path: "/proc/new", Append: upper}
	unnumbered, nowhere := line, served.Path{Index: 15999, Name: "/proc/no/new", Kind: served.File}
	unnumbered.Index = 19
	for _, tt := range []struct {
		name  string
		paths []served.Path
		files []view.File
		want  []string
	}{
		{"the recipe", append(paths, line), append(files, renderer), nil},
		{"no line", paths, append(files, renderer), []string{"/proc/new is not in the table"}},
		{"no renderer", append(paths, line), files, []string{"/proc/new has no renderer"}},
		{"a number that is taken", append(paths, unnumbered), append(files, renderer), []string{"/proc/new has the number 19 of /proc/meminfo"}},
		{"no directory", append(paths, nowhere), append(files, view.File{Path: "/proc/no/new"}), []string{"/proc/no/new has no directory"}},
	} {
		if got := wrong(tt.paths, tt.files); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if !line.Bound() {
		t.Error("it is not bound")
	}
	r, _ := testRenderer(t)
	r.FS = archive("/proc/new", "new\n")
	r = NewRenderer(r.Config, []view.File{renderer})
	tree := newTree(r, newMemoryStore(), append(paths, line))
	header := fuse.InHeader{NodeId: lookup(t, tree, "proc/new").NodeId, Caller: fuse.Caller{Pid: 2}}
	var open fuse.OpenOut
	tree.Open(nil, &fuse.OpenIn{InHeader: header}, &open)
	buf := make([]byte, 64)
	result, status := tree.Read(nil, &fuse.ReadIn{InHeader: header, Fh: open.Fh, ReadFlags: fuse.READ_LOCKOWNER}, buf)
	if status != fuse.OK || header.NodeId != 15999 {
		t.Fatalf("node %d: %v", header.NodeId, status)
	}
	if text, _ := result.Bytes(buf); string(text) != "NEW\n" {
		t.Errorf("got %q", text)
	}
}
