package cgroup

import (
	"bytes"
	"fmt"
	"math"
)

// formatError quotes at most this many bytes.
const maxQuoted = 120

func formatError(line []byte) error {
	return fmt.Errorf("%w: %q", ErrFormat, line[:min(len(line), maxQuoted)])
}

// parseDigits parses decimal digits and nothing else.
func parseDigits(b []byte) (v uint64, ok bool) {
	if len(b) == 0 {
		return 0, false
	}
	for _, c := range b {
		d := uint64(c - '0')
		if c < '0' || c > '9' || v > (math.MaxUint64-d)/10 {
			return 0, false
		}
		v = v*10 + d
	}
	return v, true
}

// parseSingle parses a single value file:
//
//	268435456
//
// A missing newline is a truncated file, hence an error.
func parseSingle(content []byte) (uint64, error) {
	b, terminated := bytes.CutSuffix(content, []byte("\n"))
	v, ok := parseDigits(b)
	if !ok || !terminated {
		return 0, formatError(content)
	}
	return v, nil
}

// parseMax parses a single value file that may say "no limit":
//
//	max
func parseMax(content []byte) (uint64, error) {
	if string(content) == "max\n" {
		return Max, nil
	}
	return parseSingle(content)
}

// cutLine splits off the first line; terminated says whether it had a newline.
func cutLine(content []byte) (line, rest []byte, terminated bool) {
	return bytes.Cut(content, []byte("\n"))
}

// cutField splits off the first of the fields that single spaces separate.
func cutField(line []byte) (field, rest []byte) {
	field, rest, _ = bytes.Cut(line, []byte(" "))
	return field, rest
}

// flatKeyed calls f with each line of a flat keyed file:
//
//	anon 1548288
//	file 9265152
//
// A line that f does not know is f's to skip.
func flatKeyed(content []byte, f func(key, value []byte) error) error {
	for len(content) > 0 {
		line, rest, terminated := cutLine(content)
		if !terminated {
			return formatError(line)
		}
		key, value := cutField(line)
		if err := f(key, value); err != nil {
			return err
		}
		content = rest
	}
	return nil
}

// set parses value into *dst; line parts are for the error.
func set(dst *uint64, key, value []byte) error {
	v, ok := parseDigits(value)
	if !ok {
		return fmt.Errorf("%w: %q", ErrFormat, quoted(key, value))
	}
	*dst = v
	return nil
}

func quoted(key, value []byte) string {
	s := string(key) + " " + string(value)
	return s[:min(len(s), maxQuoted)]
}
