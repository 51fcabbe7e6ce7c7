package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// parseSkips reads the list of expected skips. A line is a pattern in which * stands for any text; # begins a comment line:
//
//	# psi=0 on this kernel
//	host test/integration/TestPressure*: needs PSI*
//
// The pattern is compared with "SUITE NAME: REASON".
func parseSkips(text string) ([]*regexp.Regexp, error) {
	var patterns []*regexp.Regexp
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if !strings.Contains(line, ": ") {
			return nil, fmt.Errorf("no reason in %q", line)
		}
		quoted := strings.ReplaceAll(regexp.QuoteMeta(line), `\*`, ".*")
		re, err := regexp.Compile("^" + quoted + "$")
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, re)
	}
	return patterns, nil
}

// report prints skips and failures and then the counts. It fails with failed tests, with a skip that matches no pattern, and with
// no test at all: a run that found nothing to do has proved nothing.
func report(results []Result, expected []*regexp.Regexp, out io.Writer) error {
	count := map[Status]int{}
	var skips, failures []string
	for _, r := range results {
		count[r.Status]++
		switch r.Status {
		case Skipped:
			skips = append(skips, fmt.Sprintf("%s %s: %s", r.Suite, r.Name, r.Reason))
		case Failed:
			failures = append(failures, r.Suite+" "+r.Name)
		case Passed:
			if r.Reason != "" {
				fmt.Fprintf(out, "unsteady: %s %s: %s\n", r.Suite, r.Name, r.Reason)
			}
		}
	}
	slices.Sort(skips)
	unexpected := 0
	for _, s := range skips {
		mark := "skipped"
		if !slices.ContainsFunc(expected, func(re *regexp.Regexp) bool { return re.MatchString(s) }) {
			mark = "skipped, NOT EXPECTED"
			unexpected++
		}
		fmt.Fprintf(out, "%s: %s\n", mark, s)
	}
	for _, f := range failures {
		fmt.Fprintf(out, "failed: %s\n", f)
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", count[Passed], count[Failed], count[Skipped])
	switch {
	case len(results) == 0:
		return fmt.Errorf("no test was run")
	case unexpected > 0:
		return fmt.Errorf("%d skips are not in the list of expected ones", unexpected)
	case count[Failed] > 0:
		return errFailed
	}
	return nil
}
