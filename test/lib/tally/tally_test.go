package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadGo(t *testing.T) {
	const pkg = `"Package":"linuxcontainers.org/lxcfs/cgroup"`
	tests := []struct {
		name, in string
		want     []Result
		shown    string // a part of what must be shown
	}{
		{"pass", `{"Action":"run",` + pkg + `,"Test":"TestA"}` + "\n" + `{"Action":"pass",` + pkg + `,"Test":"TestA"}`,
			[]Result{{Passed, "", "cgroup/TestA", ""}}, ""},
		{"skip with its reason", `{"Action":"output",` + pkg + `,"Test":"TestA/x","Output":"    a_test.go:3: needs PSI; have: none\n"}` + "\n" +
			`{"Action":"output",` + pkg + `,"Test":"TestA/x","Output":"    --- SKIP: TestA/x (0.00s)\n"}` + "\n" +
			`{"Action":"skip",` + pkg + `,"Test":"TestA/x"}`,
			[]Result{{Skipped, "", "cgroup/TestA/x", "needs PSI; have: none"}}, "needs PSI"},
		{"fail shows its output", `{"Action":"output",` + pkg + `,"Test":"TestA","Output":"got 1\n"}` + "\n" + `{"Action":"fail",` + pkg + `,"Test":"TestA"}` +
			"\n" + `{"Action":"fail",` + pkg + `}`,
			[]Result{{Failed, "", "cgroup/TestA", ""}}, "got 1"},
		{"package that does not build", `{"ImportPath":"x","Action":"build-output","Output":"a.go:1: undefined\n"}` + "\n" + `{"Action":"fail",` + pkg + `}`,
			[]Result{{Failed, "", "cgroup", ""}}, "undefined"},
		{"package without tests", `{"Action":"skip",` + pkg + `}`, nil, ""},
		{"line that is no event", "go: downloading x", nil, "go: downloading x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			got, err := readGo(strings.NewReader(tt.in), &out)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
			if !strings.Contains(out.String(), tt.shown) {
				t.Errorf("shown %q, want %q in it", out.String(), tt.shown)
			}
		})
	}
}

func TestReadTAP(t *testing.T) {
	tests := []struct {
		name, in string
		want     []Result
	}{
		{"pass and fail", "# file a\nok 1 - s: x\nnot ok 2 - s: y\n#   got 1\n1..2\n# end a 1\n",
			[]Result{{Passed, "", "a/s: x", ""}, {Failed, "", "a/s: y", ""}}},
		{"skip", "# file a\nok 1 - s # SKIP needs docker\n1..1\n# end a 0\n", []Result{{Skipped, "", "a/s", "needs docker"}}},
		{"no plan", "# file a\nok 1 - x\n# end a 0\n",
			[]Result{{Passed, "", "a/x", ""}, {Failed, "", "a/no plan: it ended early, status 0", ""}}},
		{"too few", "# file a\nok 1 - x\n1..2\n# end a 0\n", []Result{{Passed, "", "a/x", ""}, {Failed, "", "a/planned 2 tests, ran 1", ""}}},
		{"status nobody explains", "# file a\nok 1 - x\n1..1\n# end a 7\n", []Result{{Passed, "", "a/x", ""}, {Failed, "", "a/status 7", ""}}},
		{"stream cut off", "# file a\nok 1 - x\n1..1\n",
			[]Result{{Passed, "", "a/x", ""}, {Failed, "", "a/the output ended in the middle of the file", ""}}},
		{"two files, the first cut off", "# file a\n# file b\nok 1 - x\n1..1\n# end b 0\n",
			[]Result{{Failed, "", "a/another file began", ""}, {Passed, "", "b/x", ""}}},
		{"carriage returns of a terminal", "# file a\r\nok 1 - x\r\n1..1\r\n# end a 0\r\n", []Result{{Passed, "", "a/x", ""}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			got, err := readTAP(strings.NewReader(tt.in), &out)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestReport(t *testing.T) {
	skips, err := parseSkips("# comment\n\nhost a/Test*: needs PSI*\n")
	if err != nil {
		t.Fatal(err)
	}
	pass := Result{Passed, "host", "a/TestB", ""}
	tests := []struct {
		name   string
		in     []Result
		want   string // the last line
		failed bool
	}{
		{"passed", []Result{pass}, "1 passed, 0 failed, 0 skipped", false},
		{"expected skip", []Result{pass, {Skipped, "host", "a/TestA", "needs PSI; have: none"}}, "1 passed, 0 failed, 1 skipped", false},
		{"skip in another suite", []Result{{Skipped, "unit", "a/TestA", "needs PSI"}}, "0 passed, 0 failed, 1 skipped", true},
		{"skip for another reason", []Result{{Skipped, "host", "a/TestA", "needs root"}}, "0 passed, 0 failed, 1 skipped", true},
		{"failed", []Result{pass, {Failed, "host", "a/TestA", ""}}, "1 passed, 1 failed, 0 skipped", true},
		{"nothing", nil, "0 passed, 0 failed, 0 skipped", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			err := report(tt.in, skips, &out)
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if got := lines[len(lines)-1]; got != tt.want || (err != nil) != tt.failed {
				t.Errorf("got %q, %v, want %q, failed %v", got, err, tt.want, tt.failed)
			}
		})
	}
}

func TestSecondAttempt(t *testing.T) {
	first := []Result{
		{Passed, "host", "a/b/TestA", ""}, {Failed, "host", "a/b/TestB/x", ""}, {Failed, "host", "a/b/TestB", ""},
		{Failed, "host", "c", ""}, {Failed, "host", "d/TestD", ""},
	}
	var out strings.Builder
	failedTests(first, &out)
	if want := "./a/b\t^(TestB)$\n./c\t.\n./d\t^(TestD)$\n"; out.String() != want {
		t.Errorf("to try again: %q, want %q", out.String(), want)
	}
	second := []Result{{Passed, "host", "a/b/TestB/x", ""}, {Passed, "host", "a/b/TestB", ""}, {Passed, "host", "c/TestC", ""},
		{Passed, "host", "d/TestD/x", ""}, {Failed, "host", "d/TestD", ""}}
	want := []Result{
		{Passed, "host", "a/b/TestA", ""}, {Passed, "host", "a/b/TestB/x", secondAttempt}, {Passed, "host", "a/b/TestB", secondAttempt},
		{Passed, "host", "c", secondAttempt}, {Failed, "host", "d/TestD", ""},
		{Passed, "host", "c/TestC", ""}, {Passed, "host", "d/TestD/x", ""},
	}
	if got := merge(first, second); !slices.Equal(got, want) {
		t.Errorf("merged: %v, want %v", got, want)
	}
	if got := merge(first, nil); !slices.Equal(got, first) {
		t.Errorf("without a second attempt: %v, want %v", got, first)
	}
	// A shell test is tried again by files.
	first = []Result{{Passed, "vm", "30-lxc/a: b", ""}, {Failed, "vm", "30-lxc/a: c", ""}, {Failed, "vm/bookworm", "50-oci/d", ""}}
	out.Reset()
	if failedTests(first, &out); out.String() != "./30-lxc\t.\n./50-oci\t.\n" {
		t.Errorf("again: %q", out.String())
	}
	second = []Result{{Passed, "vm", "30-lxc/a: b", ""}, {Passed, "vm", "30-lxc/a: c", ""}, {Passed, "vm/bookworm", "50-oci/d", ""}, {Failed, "vm/bookworm", "50-oci/e", ""}}
	want = []Result{first[0], {Passed, "vm", "30-lxc/a: c", secondAttempt}, first[2], second[3]}
	if got := merge(first, second); !slices.Equal(got, want) {
		t.Errorf("merged: %v, want %v", got, want)
	}
	many := make([]Result, maxAgain+1)
	for i := range many {
		many[i] = Result{Failed, "host", "d/Test" + strings.Repeat("x", i), ""}
	}
	out.Reset()
	if failedTests(many, &out); out.String() != "" {
		t.Errorf("a broken tree is tried again: %q", out.String())
	}
}

func TestParseSkipsWantsReason(t *testing.T) {
	if _, err := parseSkips("host a/TestA\n"); err == nil {
		t.Error("a pattern without a reason was taken")
	}
}

func TestRunRecordsAndReports(t *testing.T) {
	dir := t.TempDir()
	results, skips := filepath.Join(dir, "results"), filepath.Join(dir, "skips")
	if err := os.WriteFile(skips, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	in := "# file a\nok 1 - x\tand a tab\nnot ok 2 - y\n1..2\n# end a 1\n"
	if err := run([]string{"tap", "vm", results}, strings.NewReader(in), &out); !errors.Is(err, errFailed) {
		t.Errorf("got %v, want %v", err, errFailed)
	}
	if err := run([]string{"report", results, skips}, nil, &out); !errors.Is(err, errFailed) {
		t.Errorf("got %v, want %v", err, errFailed)
	}
	if !strings.HasSuffix(out.String(), "failed: vm a/y\n1 passed, 1 failed, 0 skipped\n") {
		t.Errorf("got %q", out.String())
	}
	if err := run([]string{"count"}, nil, &out); err == nil {
		t.Error("a wrong command line was taken")
	}
}

func FuzzReadTAP(f *testing.F) {
	f.Add("# file a\nok 1 - x\n1..1\n# end a 0\n")
	f.Add("not ok\n1..99999999999999999999\n# end  \n")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := readTAP(strings.NewReader(in), &strings.Builder{})
		if err != nil {
			return
		}
		for _, r := range got {
			if _, err := parseResults(r.String() + "\n"); err != nil {
				t.Errorf("%v does not parse again: %v", r, err)
			}
		}
	})
}
