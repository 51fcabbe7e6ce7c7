package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

const usage = "usage: tally go|tap SUITE RESULTS | tally report RESULTS SKIPS"

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
	if len(args) != 3 {
		return errors.New(usage)
	}
	switch args[0] {
	case "go":
		return record(args[1], args[2], in, out, readGo)
	case "tap":
		return record(args[1], args[2], in, out, readTAP)
	case "report":
		return reportFiles(args[1], args[2], out)
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

// reportFiles is report on named files. A missing results file is no results.
func reportFiles(results, skips string, out io.Writer) error {
	data, err := os.ReadFile(results)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	found, err := parseResults(string(data))
	if err != nil {
		return fmt.Errorf("%s: %w", results, err)
	}
	data, err = os.ReadFile(skips)
	if err != nil {
		return err
	}
	expected, err := parseSkips(string(data))
	if err != nil {
		return fmt.Errorf("%s: %w", skips, err)
	}
	return report(found, expected, out)
}
