// Package procpid parses the files of /proc/PID that more than one part of lxcfs
// needs: status, stat and mountinfo. (/proc/PID/cgroup is
// cgroup.ParseMembership's.)
//
// Parsers are given bytes: what they return refers to them, and is good for as long
// as they are. Nothing is allocated but what a caller asks for. A line
// that the kernel cannot have written is [ErrFormat].
//
// Mountinfo is not left to github.com/moby/sys/mountinfo because that opens the files
// itself, makes strings of all lines, and fails as a whole on a file of which
// only the beginning was read.
package procpid

import (
	"errors"
	"fmt"
	"strconv"
)

// ErrFormat is returned, wrapped with what was found, for content that the kernel
// does not write.
var ErrFormat = errors.New("wrong format")

// Dir is the directory of a process or thread: /proc/PID.
func Dir(pid uint32) string { return "/proc/" + strconv.FormatUint(uint64(pid), 10) }

// Read reads a file of /proc/PID and parses it.
func Read[T any](fsys interface {
	Append(dst []byte, name string) ([]byte, error)
}, pid uint32, file string, parse func(content []byte) (T, error)) (v T, err error) {
	name := Dir(pid) + "/" + file
	content, err := fsys.Append(nil, name)
	if err != nil {
		return v, err
	}
	if v, err = parse(content); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return v, err
}

// head is as much of a file as an error quotes.
func head(content []byte) []byte { return content[:min(len(content), 80)] }
