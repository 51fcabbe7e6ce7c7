package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

const usage = "usage: tally go|tap SUITE RESULTS | tally failed RESULTS | tally merge FIRST SECOND RESULTS | tally report RESULTS SKIPS"

// errFailed says that tests failed; what failed has been shown.
var errFailed = errors.New("tests failed")

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	if err != nil && !errors.Is(err, errFailed) {
		fmt.Fprintln(os.Stderr, "tally:", err)
	}
	if err != nil {
		os.Exit(1)
	}
}

// run does what the command line args say.
func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	switch verb, args := args[0], args[1:]; {
	case verb == "go" && len(args) == 2:
		return record(args[0], args[1], in, out, readGo)
	case verb == "tap" && len(args) == 2:
		return record(args[0], args[1], in, out, readTAP)
	case verb == "failed" && len(args) == 1:
		return failedIn(args[0], out)
	case verb == "merge" && len(args) == 3:
		return mergeFiles(args[0], args[1], args[2])
	case verb == "report" && len(args) == 2:
		return reportFiles(args[0], args[1], out)
	}
	return errors.New(usage)
}

// record appends the results that read finds in the stream in to the file named results.
func record(suite, results string, in io.Reader, out io.Writer, read func(io.Reader, io.Writer) ([]Result, error)) error {
	found, readErr := read(in, out)
	f, err := os.OpenFile(results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	failed := false
	for _, r := range found {
		r.Suite = suite
		failed = failed || r.Status == Failed
		if _, err := f.WriteString(r.String() + "\n"); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := errors.Join(readErr, f.Close()); err != nil {
		return err
	}
	if failed {
		return errFailed
	}
	return nil
}

// readResults reads a results file. A missing one is no results.
func readResults(file string) ([]Result, error) {
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	found, err := parseResults(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return found, nil
}

// reportFiles is report on named files.
func reportFiles(results, skips string, out io.Writer) error {
	found, err := readResults(results)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(skips)
	if err != nil {
		return err
	}
	expected, err := parseSkips(string(data))
	if err != nil {
		return fmt.Errorf("%s: %w", skips, err)
	}
	return report(found, expected, out)
}
