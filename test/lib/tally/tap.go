package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Lines that the runner of several files puts around the output of each:
//
//	# file 10-limits
//	# end 10-limits 0
var (
	fileLine = regexp.MustCompile(`^# (file|end) (\S+)(?: (\d+))?$`)
	testLine = regexp.MustCompile(`^(not )?ok\b *\d* *(?:- )?(.*?)(?:\s*# SKIP\b\s*(.*))?$`)
	planLine = regexp.MustCompile(`^1\.\.(\d+)$`)
)

// tapReader collects the results of shell test files run one after another.
type tapReader struct {
	out     io.Writer
	file    string // that is running; empty between files
	tests   int    // of this file so far
	plan    int    // of this file; -1 until its plan was seen
	failed  bool   // this file has a failed test
	results []Result
}

// readTAP reads the output of test/lib.sh. All but passed tests is shown. A file that ends without its plan, with other than the
// planned number of tests, or with a status that its tests do not explain, has one more failed test.
func readTAP(in io.Reader, out io.Writer) ([]Result, error) {
	r := &tapReader{out: out}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		r.add(strings.TrimSuffix(lines.Text(), "\r"))
	}
	if r.file != "" {
		r.end("the output ended in the middle of the file")
	}
	return r.results, lines.Err()
}

// add takes in the next line.
func (r *tapReader) add(line string) {
	if m := fileLine.FindStringSubmatch(line); m != nil && m[1] == "file" {
		if r.file != "" {
			r.end("another file began")
		}
		*r = tapReader{out: r.out, file: m[2], plan: -1, results: r.results}
	} else if m != nil && m[2] == r.file {
		r.close(m[3])
		return
	} else if m := planLine.FindStringSubmatch(line); m != nil {
		r.plan, _ = strconv.Atoi(m[1]) // digits; one too large equals no count
		return
	} else if m := testLine.FindStringSubmatch(line); m != nil {
		r.test(m[1] == "", m[2], m[3], strings.Contains(line, "# SKIP"))
		if m[1] == "" && !strings.Contains(line, "# SKIP") {
			return
		}
	}
	fmt.Fprintln(r.out, line)
}

// test notes one test.
func (r *tapReader) test(ok bool, name, reason string, skipped bool) {
	r.tests++
	res := Result{Status: Passed, Name: r.file + "/" + name}
	switch {
	case !ok:
		res.Status, r.failed = Failed, true
	case skipped:
		res.Status, res.Reason = Skipped, reason
	}
	r.results = append(r.results, res)
}

// close ends a file that ended with the given status.
func (r *tapReader) close(status string) {
	switch {
	case r.plan < 0:
		r.end("no plan: it ended early, status " + status)
	case r.plan != r.tests:
		r.end(fmt.Sprintf("planned %d tests, ran %d", r.plan, r.tests))
	case status != "0" && !r.failed:
		r.end("status " + status)
	default:
		r.end("")
	}
}

// end leaves the file; a problem becomes a failed test.
func (r *tapReader) end(problem string) {
	if problem != "" {
		fmt.Fprintf(r.out, "not ok - %s: %s\n", r.file, problem)
		r.results = append(r.results, Result{Status: Failed, Name: r.file + "/" + problem})
	}
	r.file = ""
}
