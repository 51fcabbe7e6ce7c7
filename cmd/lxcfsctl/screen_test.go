package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"linuxcontainers.org/lxcfs/dbusapi"
	"linuxcontainers.org/lxcfs/hooks/attach"
)

// hostile is a name that a container chose.
const hostile = "web\x1b[2J\a\nlxc/other: 17 attached\t\xff"

// A container's cgroup may be 1500 cgroups deep: that makes no column wider for all.
func TestLongNamesAreAbridged(t *testing.T) {
	c := dbusapi.Container{Cgroup: strings.Repeat("/déep", 300) + "/end"}
	rows := containerRows([]dbusapi.ContainerUsage{{Container: c}}, false)
	if n := utf8.RuneCountInString(rows[1][0]); n != 80 || !strings.HasPrefix(rows[1][0], "/déep/d") || !strings.HasSuffix(rows[1][0], "/déep/end") {
		t.Errorf("got %d characters: %q", n, rows[1][0])
	}
	if got := abridged(c.Cgroup[:40]); got != c.Cgroup[:40] {
		t.Errorf("got %q", got)
	}
}

// What containers choose reaches no terminal as it is: not a control character, not
// a line that would look like ours.
func TestNothingOfContainersIsPrintedRaw(t *testing.T) {
	c := dbusapi.Container{Name: hostile, Runtime: hostile, Kind: "system", Unit: hostile, Cgroup: "/" + hostile}
	for name, print := range map[string]func(screen) error{
		"containers": func(s screen) error { return s.table(containerRows([]dbusapi.ContainerUsage{{Container: c}}, false)) },
		"top": func(s screen) error {
			return (&topOptions{}).print(s, []load{{ContainerUsage: dbusapi.ContainerUsage{Container: c}}})
		},
		"explain": func(s screen) error {
			return explanation{7, dbusapi.Explanation{Reason: hostile, Detail: hostile, Container: &c, Sources: []dbusapi.Source{{Name: hostile, File: hostile}}}}.print(s)
		},
		"attach": func(s screen) error {
			return report(s, (&attach.Target{PID: 7, Name: hostile}).String(), attach.Result{Changes: []attach.Change{{Path: hostile, Reason: hostile}}}, true)
		},
		"doctor": func(s screen) error {
			return printFindings(s, []finding{{"mount", problem, hostile, hostile}}, false)
		},
		"status": func(s screen) error {
			return statusText{Connections: []dbusapi.Connection{{Mountpoint: hostile, Options: hostile}}}.print(s)
		},
		"error": func(s screen) error { return s.complain(fmt.Errorf("no container: %w", errors.New(hostile))) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := print(screen{Writer: &out}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if strings.HasPrefix(line, "lxc/other") {
					t.Errorf("a forged line in\n%q", out.String())
				}
			}
			if strings.ContainsAny(out.String(), "\x1b\a\t") || !utf8.Valid(out.Bytes()) || !strings.Contains(out.String(), `\033[2J\a\nlxc/other`) {
				t.Errorf("got %q", out.String())
			}
		})
	}
}

// JSON is exact: a program reads it.
func TestJSONIsExact(t *testing.T) {
	var out bytes.Buffer
	want := strings.TrimSuffix(hostile, "\xff")
	if err := printJSON(&out, dbusapi.Container{Name: want}); err != nil {
		t.Fatal(err)
	}
	var got dbusapi.Container
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Name != want {
		t.Errorf("got %q, %v, want %q", got.Name, err, want)
	}
}

// Errors that were joined have a line each, and only those.
func TestComplain(t *testing.T) {
	var out bytes.Buffer
	err := errors.Join(errors.New("a\nb"), errors.New("c"))
	if err := (screen{Writer: &out}).complain(err); err != nil || out.String() != "lxcfsctl: a\\nb\nlxcfsctl: c\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	out.Reset()
	if err := (screen{Writer: &out}).complain(fmt.Errorf("x: %w and %w", errors.New("a"), errors.New("b"))); err != nil || out.String() != "lxcfsctl: x: a and b\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

// There is one place that prints. Others print what no container has a say in:
// settings for runtimes, made of our own paths.
func TestOnePlacePrints(t *testing.T) {
	allowed := map[string]bool{"screen.go": true, "docker_options.go": true, "nspawn.go": true, "unit.go": true}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") || allowed[e.Name()] {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "fmt" && (strings.HasPrefix(s.Sel.Name, "Fprint") || strings.HasPrefix(s.Sel.Name, "Print")) {
					t.Errorf("%s prints by fmt.%s: use a screen", e.Name(), s.Sel.Name)
				}
			}
			return true
		})
	}
}
