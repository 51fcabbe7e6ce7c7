package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// secondAttempt is the reason that a result carries when only the second attempt passed.
const secondAttempt = "passed at the second attempt only"

// maxAgain is how many tests may be tried again: a tree in which more of them fail is broken, not unlucky.
const maxAgain = 8

// topLevel splits the name of a Go test's result into its package and its top-level test, which is empty for a package that
// failed as a whole. A shell test's package is its file, which is tried again as a whole.
func topLevel(r Result) (pkg, test string) {
	name := r.Name
	if suite, _, _ := strings.Cut(r.Suite, "/"); suite == "system" || suite == "vm" {
		file, _, _ := strings.Cut(name, "/")
		return file, ""
	}
	parts := strings.Split(name, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "Test") || strings.HasPrefix(p, "Fuzz") || strings.HasPrefix(p, "Example") {
			return strings.Join(parts[:i], "/"), p
		}
	}
	return name, ""
}

// failedTests prints what to try again, one "PACKAGE<tab>REGEXP" a line ("./FILE<tab>." for shell tests); nothing when too much
// failed.
func failedTests(results []Result, out io.Writer) {
	tests := map[string][]string{}
	total := 0
	for _, r := range results {
		if r.Status != Failed {
			continue
		}
		pkg, test := topLevel(r)
		if !slices.Contains(tests[pkg], test) {
			tests[pkg] = append(tests[pkg], test)
			total++
		}
	}
	if total > maxAgain {
		return
	}
	for _, pkg := range sortedKeys(tests) {
		pattern := "."
		if !slices.Contains(tests[pkg], "") {
			pattern = "^(" + strings.Join(tests[pkg], "|") + ")$"
		}
		fmt.Fprintf(out, "./%s\t%s\n", pkg, pattern)
	}
}

func sortedKeys(m map[string][]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// merge joins two attempts. A failure of the first counts as passed when the second ran tests of its package and none of them
// failed; the result says so, and the report shows it.
func merge(first, second []Result) []Result {
	clean := map[string]bool{} // by package: the second attempt ran, and all passed
	for _, r := range second {
		pkg, _ := topLevel(r)
		was, seen := clean[pkg]
		clean[pkg] = r.Status != Failed && (was || !seen)
	}
	var merged []Result
	known := map[string]bool{}
	for _, r := range first {
		known[r.Name] = true
		if pkg, _ := topLevel(r); r.Status == Failed && clean[pkg] {
			r.Status, r.Reason = Passed, secondAttempt
		}
		merged = append(merged, r)
	}
	for _, r := range second {
		if !known[r.Name] {
			merged = append(merged, r)
		}
	}
	return merged
}

// failedIn is failedTests of a results file.
func failedIn(file string, out io.Writer) error {
	found, err := readResults(file)
	if err != nil {
		return err
	}
	failedTests(found, out)
	return nil
}

// mergeFiles appends the merged results of the files first and second to the file results.
func mergeFiles(first, second, results string) error {
	a, err := readResults(first)
	if err != nil {
		return err
	}
	b, err := readResults(second)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, r := range merge(a, b) {
		if _, err := fmt.Fprintln(f, r); err != nil {
			return err
		}
	}
	return f.Close()
}
