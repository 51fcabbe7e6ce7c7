package proc

import (
	"bytes"
	"fmt"
	"math"

	"linuxcontainers.org/lxcfs/cgroup"
)

// maxQuoted bounds how much of a malformed line an error repeats.
const maxQuoted = 200

// malformed returns the error for a line of the host's file.
func malformed(file string, line []byte) error {
	return fmt.Errorf("%s: %w: %q", file, cgroup.ErrFormat, line[:min(len(line), maxQuoted)])
}

// checkText rejects text whose last line was cut: half a number would look like
// a number.
func checkText(file string, host []byte) error {
	if n := len(host); n > 0 && host[n-1] != '\n' {
		return malformed(file, host[bytes.LastIndexByte(host, '\n')+1:])
	}
	return nil
}

// cutLine returns the first line of text, with its newline, and what follows.
func cutLine(text []byte) (line, rest []byte) {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return text[:i+1], text[i+1:]
	}
	return text, nil
}

// cutField returns the first word of text and what follows the word. Words are
// separated by spaces and tabs; a newline ends the last one.
func cutField(text []byte) (field, rest []byte) {
	start := 0
	for start < len(text) && isBlank(text[start]) {
		start++
	}
	end := start
	for end < len(text) && !isBlank(text[end]) && text[end] != '\n' {
		end++
	}
	return text[start:end], text[end:]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// parseUint parses a decimal number that is the whole of b.
func parseUint(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		digit := uint64(c - '0')
		if !isDigit(c) || n > (math.MaxUint64-digit)/10 {
			return 0, false
		}
		n = n*10 + digit
	}
	return n, len(b) > 0
}

// appendUint appends n, right-aligned in width columns as "%*lu" does.
func appendUint(dst []byte, n uint64, width int) []byte {
	var digits [20]byte
	i := len(digits)
	for {
		i--
		digits[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			break
		}
	}
	for pad := width - (len(digits) - i); pad > 0; pad-- {
		dst = append(dst, ' ')
	}
	return append(dst, digits[i:]...)
}

// appendHundredths appends n/100 as "%.2f" does.
func appendHundredths(dst []byte, n uint64) []byte {
	dst = appendUint(dst, n/100, 0)
	return append(dst, '.', byte('0'+n/10%10), byte('0'+n%10))
}

// floorSub returns a-b, or 0 when that is negative: counters are read one after
// the other, and usage exceeds a limit that was just lowered.
func floorSub(a, b uint64) uint64 {
	if b > a {
		return 0
	}
	return a - b
}

// ceilAdd returns a+b, or the largest number when that is larger.
func ceilAdd(a, b uint64) uint64 {
	if b > math.MaxUint64-a {
		return math.MaxUint64
	}
	return a + b
}
