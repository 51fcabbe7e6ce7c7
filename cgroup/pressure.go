package cgroup

import (
	"bytes"
	"fmt"
	"io/fs"
)

// ReadPressure appends the text of m's cpu.pressure, memory.pressure,
// io.pressure or irq.pressure (resource "cpu", "memory", "io", "irq"), and says
// where that is: in the v2 hierarchy on a hybrid machine too. The error is fs.ErrNotExist
// where it is not kept: CONFIG_PSI, v1, another resource, and the root cgroup,
// whose pressure is the host's /proc/pressure. With cgroup.pressure 0 (since
// Linux 6.1) it is syscall.EOPNOTSUPP.
func (h *Host) ReadPressure(dst []byte, m Membership, resource string) ([]byte, Origin, error) {
	p, err := h.place(m, "")
	if err != nil {
		return dst, Origin{}, err
	}
	file := pressureFile(resource)
	if file == "" || p.root() {
		return dst, Origin{}, fmt.Errorf("%q pressure of cgroup %q: %w", resource, p.path, fs.ErrNotExist)
	}
	dst, err = h.FS.Append(dst, p.dir+"/"+file)
	return dst, p.origin(file), err
}

func pressureFile(resource string) string {
	switch resource {
	case "cpu":
		return "cpu.pressure"
	case "memory":
		return "memory.pressure"
	case "io":
		return "io.pressure"
	case "irq":
		return "irq.pressure" // since Linux 6.1
	}
	return ""
}

// Pressure is a parsed pressure file, Documentation/accounting/psi.rst.
type Pressure struct {
	Some, Full PressureLine
	// HasSome and HasFull say which lines there are: irq.pressure has no some,
	// cpu.pressure has full since Linux 5.13.
	HasSome, HasFull bool
}

// PressureLine is one line of a pressure file. The averages over 10, 60 and 300
// seconds are in hundredths of a percent.
type PressureLine struct {
	Avg10, Avg60, Avg300 uint64
	TotalUsec            uint64
}

// ParsePressure parses a pressure file, nested keyed:
//
//	some avg10=13.81 avg60=8.55 avg300=2.60 total=15383614
//	full avg10=0.00 avg60=0.00 avg300=0.00 total=0
//
// Unknown keys are skipped; an unknown line is [ErrFormat].
func ParsePressure(content []byte) (Pressure, error) {
	var p Pressure
	err := flatKeyed(content, func(key, fields []byte) error {
		var line *PressureLine
		switch string(key) {
		case "some":
			line, p.HasSome = &p.Some, true
		case "full":
			line, p.HasFull = &p.Full, true
		default:
			return formatError(key)
		}
		if !line.parse(fields) {
			return formatError(append(append(append([]byte{}, key...), ' '), fields...))
		}
		return nil
	})
	return p, err
}

func (l *PressureLine) parse(fields []byte) bool {
	for len(fields) > 0 {
		var field []byte
		field, fields = cutField(fields)
		key, value, pair := bytes.Cut(field, []byte("="))
		ok := pair
		switch string(key) {
		case "avg10":
			l.Avg10, ok = parseHundredths(value)
		case "avg60":
			l.Avg60, ok = parseHundredths(value)
		case "avg300":
			l.Avg300, ok = parseHundredths(value)
		case "total":
			l.TotalUsec, ok = parseDigits(value)
		}
		if !ok {
			return false
		}
	}
	return true
}

// parseHundredths parses "13.81" as 1381.
func parseHundredths(b []byte) (uint64, bool) {
	whole, frac, _ := bytes.Cut(b, []byte("."))
	w, ok1 := parseDigits(whole)
	f, ok2 := parseDigits(frac)
	return w*100 + f, ok1 && ok2 && len(frac) == 2 && w <= 100
}
