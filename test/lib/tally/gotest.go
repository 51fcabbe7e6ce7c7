package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// module is cut from the names of packages.
const module = "linuxcontainers.org/lxcfs/"

// maxLine is the longest line of a stream that is read, in bytes.
const maxLine = 16 << 20

// event is one line of "go test -json", described in "go doc test2json".
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64 // seconds
}

// skipReason finds the text given to t.Skip:
//
//	meminfo_test.go:12: needs cgroup2 with the memory controller; have: v1
var skipReason = regexp.MustCompile(`^\s*\S+\.go:\d+: (.*)\n?$`)

// goReader collects the results of one stream of Go test events.
type goReader struct {
	out     io.Writer
	output  map[string][]string // by package and test, until it ends
	failed  map[string]bool     // packages of which a test was seen to fail
	results []Result
}

// readGo reads the events of "go test -json". Lines that are no events (of the build, say) are shown.
func readGo(in io.Reader, out io.Writer) ([]Result, error) {
	g := &goReader{out: out, output: map[string][]string{}, failed: map[string]bool{}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text())
			continue
		}
		g.add(e)
	}
	return g.results, lines.Err()
}

// add takes in the next event.
func (g *goReader) add(e event) {
	key := e.Package + "\x00" + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(g.out, e.Output)
	case "output":
		g.output[key] = append(g.output[key], e.Output)
	case "pass", "skip", "fail":
		g.end(e, g.output[key])
		delete(g.output, key)
	}
}

// end notes the end of a test, or of a package when e.Test is empty.
func (g *goReader) end(e event, output []string) {
	pkg := strings.TrimPrefix(e.Package, module)
	if e.Test == "" {
		if e.Action == "fail" && !g.failed[pkg] { // did not build, panicked, timed out
			g.fail(pkg, output)
		}
		if e.Action != "skip" { // no test files
			fmt.Fprintf(g.out, "%s\t%s\t%.1f s\n", e.Action, pkg, e.Elapsed)
		}
		return
	}
	name := pkg + "/" + e.Test
	switch e.Action {
	case "pass":
		g.results = append(g.results, Result{Status: Passed, Name: name})
	case "skip":
		r := Result{Status: Skipped, Name: name, Reason: reasonIn(output)}
		fmt.Fprintf(g.out, "skip\t%s: %s\n", r.Name, r.Reason)
		g.results = append(g.results, r)
	case "fail":
		g.failed[pkg] = true
		g.fail(name, output)
	}
}

// fail notes and shows a failure.
func (g *goReader) fail(name string, output []string) {
	fmt.Fprintf(g.out, "FAIL\t%s\n%s", name, strings.Join(output, ""))
	g.results = append(g.results, Result{Status: Failed, Name: name})
}

// reasonIn is the last text with a file name and line in a test's output; empty when there is none.
func reasonIn(output []string) string {
	for i := len(output) - 1; i >= 0; i-- {
		if m := skipReason.FindStringSubmatch(output[i]); m != nil {
			return m[1]
		}
	}
	return ""
}
