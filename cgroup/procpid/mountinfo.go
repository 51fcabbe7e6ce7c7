package procpid

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Mount is a line of a /proc/PID/mountinfo, proc_pid_mountinfo(5). Lines are taken
// from the file by [bytes.Lines].
type Mount struct {
	// ID and Parent are mount ids; the parent of the root mount is itself or not
	// listed. An id is in one mount namespace only.
	ID, Parent int
	// Major and Minor are st_dev of the file system.
	Major, Minor uint32
	// Root is what of the file system is mounted: "/" for all of it, else a directory
	// or file; of nsfs something like "net:[4026531840]".
	Root Escaped
	// Point is where, an absolute path seen from the root of the process.
	Point Escaped
	// Optional are the optional fields, "shared:93 master:1", separated by blanks.
	Optional []byte
	// FSType is "type" or "type.subtype". It and Options, those of the superblock, are
	// nil in a line that was cut off before their end.
	FSType  Escaped
	Options Escaped
}

// Escaped is a text in which the kernel (mangle_path, fs/seq_file.c) wrote blanks,
// newlines, backslashes and '#' as octal numbers, \040. One of nothing else is the
// text itself.
type Escaped []byte

// ParseMount parses a line, with its newline:
//
//	36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
//	27 1 0:24 / / rw,relatime - ext4 /dev/root rw
//
// One without its newline was cut off, and is good if it has a mount point.
func ParseMount(line []byte) (Mount, error) {
	rest, whole := bytes.CutSuffix(line, []byte("\n"))
	front, tail, _ := bytes.Cut(rest, []byte(" - "))
	if len(tail) == 0 {
		front = rest
	}
	var m Mount
	var fields [5][]byte
	ok := true
	for i := range fields {
		var more bool
		fields[i], front, more = bytes.Cut(front, []byte(" "))
		ok = ok && more
	}
	major, minor, colon := bytes.Cut(fields[2], []byte(":"))
	var errs [4]error
	m.ID, errs[0] = strconv.Atoi(string(fields[0]))
	m.Parent, errs[1] = strconv.Atoi(string(fields[1]))
	m.Major, errs[2] = number(major)
	m.Minor, errs[3] = number(minor)
	m.Root, m.Point = fields[3], fields[4]
	_, m.Optional, _ = bytes.Cut(front, []byte(" "))
	m.setTail(tail)
	ok = ok && colon && errs == [4]error{} && len(m.Point) > 0 && m.Point[0] == '/'
	if !ok || whole && m.Options == nil {
		return Mount{}, fmt.Errorf("%w: %q", ErrFormat, line[:min(len(line), 200)])
	}
	return m, nil
}

// setTail takes over the file system's type and options; between them is a source.
func (m *Mount) setTail(tail []byte) {
	fstype, rest, ok := bytes.Cut(tail, []byte(" "))
	if !ok {
		return
	}
	m.FSType = fstype
	if _, options, ok := bytes.Cut(rest, []byte(" ")); ok {
		m.Options = options
	}
}

func number(field []byte) (uint32, error) {
	n, err := strconv.ParseUint(string(field), 10, 32)
	return uint32(n), err
}

// PeerGroup returns the mount's peer group, a number of the whole machine; 0 for a
// mount that is not shared.
func (m Mount) PeerGroup() (int, error) {
	for field := range bytes.SplitSeq(m.Optional, []byte(" ")) {
		if group, ok := bytes.CutPrefix(field, []byte("shared:")); ok {
			n, err := strconv.Atoi(string(group))
			if err != nil {
				return 0, fmt.Errorf("%w: peer group: %q", ErrFormat, field)
			}
			return n, nil
		}
	}
	return 0, nil
}

// String returns the text: a backslash and three octal digits are one byte, any
// other backslash stands for itself.
func (e Escaped) String() string {
	s := string(e)
	if !strings.Contains(s, `\`) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out = append(out, byte(n))
				i += 3
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}
