package man

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/config"
	"linuxcontainers.org/lxcfs/fs/proc"
	"linuxcontainers.org/lxcfs/fs/sys"
)

func page(t *testing.T, name string) Page {
	t.Helper()
	p, err := Read(".", name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTerms(t *testing.T) {
	p := Page{text: "# A\n\n*-o*, *--options* _LIST_\n\tText with *bold*.\n\n*no term*\n\n*b*\n\tx\n*-o*\n\ty\n"}
	if got, want := p.Terms(), []string{"--options", "-o", "b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := p.Options(), []string{"--options", "-o"}; !slices.Equal(got, want) {
		t.Errorf("options: got %q, want %q", got, want)
	}
}

// The meson file names the pages that there are.
func TestEveryPageIsInstalled(t *testing.T) {
	build, err := os.ReadFile("meson.build")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := fs.Glob(os.DirFS("."), "*.scd")
	if err != nil || len(pages) == 0 {
		t.Fatalf("got %q, %v", pages, err)
	}
	for _, p := range pages {
		if name := strings.TrimSuffix(p, ".scd"); !strings.Contains(string(build), "'"+name+"'") {
			t.Errorf("meson.build does not name %s", name)
		}
	}
}

// lxcfs.files(5) has a section on each file that is served, or on its directory.
func TestEveryFileIsDescribed(t *testing.T) {
	p := page(t, "lxcfs.files.5")
	for _, f := range slices.Concat(proc.Files(), sys.Files()) {
		dir, name := path.Split(f.Path)
		if p.Section(f.Path).String() == "" && !slices.Contains(p.Section(strings.TrimSuffix(dir, "/")).Terms(), name) {
			t.Errorf("nothing on %s", f.Path)
		}
	}
}

// lxcfs.files(5) has each field of meminfo of a real kernel.
func TestEveryFieldIsDescribed(t *testing.T) {
	archive, err := txtar.ParseFile("../../test/hosts/6.12-debian13-v2-unit.txtar")
	if err != nil {
		t.Fatal(err)
	}
	terms := page(t, "lxcfs.files.5").Terms()
	fields := 0
	for _, f := range archive.Files {
		if f.Name != "proc/meminfo" {
			continue
		}
		for line := range strings.Lines(string(f.Data)) {
			name, _, _ := strings.Cut(line, ":")
			fields++
			if !slices.Contains(terms, name) {
				t.Errorf("nothing on %s", name)
			}
		}
	}
	if fields < 40 {
		t.Errorf("got %d fields of meminfo from the archive", fields)
	}
}

// lxcfs.conf(5) and the installed file have each name, and the file says the
// defaults.
func TestConfiguration(t *testing.T) {
	const file = "../lxcfs.conf"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	terms := page(t, "lxcfs.conf.5").Terms()
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "#"), "="); ok && !strings.Contains(name, " ") {
			names = append(names, name+"=")
		}
	}
	slices.Sort(names)
	if got := slices.DeleteFunc(terms, func(t string) bool { return !strings.HasSuffix(t, "=") }); !slices.Equal(got, names) {
		t.Errorf("the page has %q, the file %q", got, names)
	}
	for option := range strings.SplitSeq(config.Default().String(), ",") {
		line := "\n#" + option + "\n"
		if name, ok := strings.CutPrefix(option, "no"); ok {
			line = "\n#" + name + "=no\n"
		} else if !strings.Contains(option, "=") {
			line = "\n#" + option + "=yes\n"
		}
		if !strings.Contains(string(text), line) {
			t.Errorf("%s has no line %q", file, strings.TrimSpace(line))
		}
	}
}
