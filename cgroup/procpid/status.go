package procpid

import (
	"bytes"
	"fmt"
	"strconv"
)

// Status is the content of a /proc/PID/status, proc_pid_status(5):
//
//	Name:	cat
//	Tgid:	14184
//	PPid:	14182
//	Uid:	100000	100000	100000	100000
//	Groups:	100010 100004
//	NStgid:	14184	12	1
//	NSpid:	14184	12	1
//	CapEff:	000001ffffffffff
//
// Uid and Gid are the real, effective, saved and filesystem ids. NStgid is the
// process id in each pid namespace, outermost first, NSpid the thread id; both are
// there since Linux 4.1, with CONFIG_PID_NS.
type Status []byte

// Line is a line of a status file, with its name; nil for one that is not there.
type Line []byte

// Line returns the line with a name. Name is the process's choice. The kernel
// escapes a newline in it; all the same, of a line that comes twice the last
// counts, and Name is the first.
func (s Status) Line(name string) Line {
	var found Line
	for line := range bytes.Lines(s) {
		if len(line) > len(name) && line[len(name)] == ':' && string(line[:len(name)]) == name {
			found = line
		}
	}
	return found
}

// PIDs parses, of the content of a status file, the process's id in each pid
// namespace, outermost first.
func PIDs(content []byte) ([]uint32, error) { return Status(content).Line("NStgid").Numbers(nil) }

// Number returns the line's one number.
func (l Line) Number() (uint32, error) {
	n, err := l.parse(l.value(), 10, 32)
	return uint32(n), err
}

// Mask returns the line's one hexadecimal number.
func (l Line) Mask() (uint64, error) { return l.parse(l.value(), 16, 64) }

// Numbers appends the line's numbers to dst. There may be none.
func (l Line) Numbers(dst []uint32) ([]uint32, error) {
	if l == nil {
		return nil, errNoLine
	}
	for field := range bytes.FieldsSeq(l.value()) {
		n, err := l.parse(field, 10, 32)
		if err != nil {
			return nil, err
		}
		dst = append(dst, uint32(n))
	}
	return dst, nil
}

// IDs returns the four numbers of Uid or Gid.
func (l Line) IDs() (ids [4]uint32, err error) {
	var some [4]uint32
	list, err := l.Numbers(some[:0])
	if err == nil && len(list) != len(ids) {
		err = fmt.Errorf("%w: %q", ErrFormat, head(l))
	}
	if err != nil {
		return ids, err
	}
	return [4]uint32(list), nil
}

var errNoLine = fmt.Errorf("%w: a line is missing", ErrFormat)

func (l Line) value() []byte {
	_, value, _ := bytes.Cut(l, []byte(":"))
	return bytes.TrimSpace(value)
}

func (l Line) parse(field []byte, base, bits int) (uint64, error) {
	if l == nil {
		return 0, errNoLine
	}
	n, err := strconv.ParseUint(string(field), base, bits)
	if err != nil {
		return 0, fmt.Errorf("%w: %q", ErrFormat, head(l))
	}
	return n, nil
}
