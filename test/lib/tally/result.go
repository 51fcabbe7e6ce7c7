package main

import (
	"fmt"
	"strings"
)

// Status is how a test ended.
type Status string

// The ways in which a test ends.
const (
	Passed  Status = "pass"
	Failed  Status = "fail"
	Skipped Status = "skip"
)

// Result is the outcome of one test.
type Result struct {
	Status Status
	Suite  string // "unit", "vm/trixie"
	Name   string // of a Go test: "cgroup/TestDetect/v1"; of a shell test: "10-limits/a unit: MemTotal"
	Reason string // why it was skipped; empty otherwise
}

// String is the result as one line of the results file: its fields separated by tabs.
func (r Result) String() string {
	clean := strings.NewReplacer("\t", " ", "\n", " ")
	return strings.Join([]string{string(r.Status), clean.Replace(r.Suite), clean.Replace(r.Name), clean.Replace(r.Reason)}, "\t")
}

// parseResults reads a results file:
//
//	pass	unit	cgroup/TestDetect
//	skip	vm/trixie	30-docker/docker: memory	needs docker.io
func parseResults(text string) ([]Result, error) {
	var results []Result
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("not a result: %q", line)
		}
		status := Status(f[0])
		if status != Passed && status != Failed && status != Skipped {
			return nil, fmt.Errorf("unknown status: %q", line)
		}
		results = append(results, Result{Status: status, Suite: f[1], Name: f[2], Reason: f[3]})
	}
	return results, nil
}
