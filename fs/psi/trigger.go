package psi

import (
	"bytes"
	"math"
	"syscall"
	"time"
)

// Trigger is what somebody waits for: Threshold of stall within Window.
type Trigger struct {
	Full              bool // of all tasks at once; else of some
	Threshold, Window time.Duration
}

// Limits of kernel/sched/psi.c. The kernel has no least window since Linux 6.3;
// it is kept, for it bounds how often files are read. A window of those without
// CAP_SYS_RESOURCE is a multiple of 2 s (since Linux 6.5; before, they had none).
const (
	minWindow          = 500 * time.Millisecond
	maxWindow          = 10 * time.Second
	unprivilegedWindow = 2 * time.Second
	maxText            = 32 // bytes; what is behind is ignored
)

// Parse parses what is written to a pressure file, microseconds:
//
//	some 150000 1000000
//	full 100000 2000000
//
// The grammar is sscanf's of psi_trigger_create: blanks may be left out or be
// many but not come first, what follows the second number is ignored. As in the
// kernel the last byte written is never looked at: it is taken for the NUL or
// newline. The error is EINVAL.
func Parse(text []byte, privileged bool) (Trigger, error) {
	text = text[:min(len(text), maxText)]
	if len(text) == 0 {
		return Trigger{}, syscall.EINVAL
	}
	text, _, _ = bytes.Cut(text[:len(text)-1], []byte{0})
	rest, some := bytes.CutPrefix(text, []byte("some"))
	rest, full := bytes.CutPrefix(rest, []byte("full"))
	threshold, rest, ok1 := scanMicroseconds(rest)
	window, _, ok2 := scanMicroseconds(rest)
	t := Trigger{Full: full, Threshold: threshold, Window: window}
	if some == full || !ok1 || !ok2 || !t.allowed(privileged) {
		return Trigger{}, syscall.EINVAL
	}
	return t, nil
}

// allowed says whether a trigger is within the limits.
func (t Trigger) allowed(privileged bool) bool {
	if t.Window < minWindow || t.Window > maxWindow || !privileged && t.Window%unprivilegedWindow != 0 {
		return false
	}
	return t.Threshold > 0 && t.Threshold <= t.Window
}

// scanMicroseconds is sscanf's "%u" after any blanks. A number that does not fit
// is refused, where the kernel takes what is left of it.
func scanMicroseconds(text []byte) (d time.Duration, rest []byte, ok bool) {
	text = bytes.TrimLeft(text, " \t\n\v\f\r")
	end, n := 0, uint64(0)
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		if n = n*10 + uint64(text[end]-'0'); n > math.MaxUint32 {
			return 0, nil, false
		}
		end++
	}
	return time.Duration(n) * time.Microsecond, text[end:], end > 0
}
