package container

import (
	"bytes"
	"fmt"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
)

// stat is the part of /proc/PID/stat that says since when and whether a task is.
type stat struct {
	startTicks uint64 // USER_HZ since boot
	// exiting: on its way through do_exit (kernel/exit.c), which takes a task out
	// of its v1 cgroups long before it is gone, or its children are.
	exiting bool
}

// The indexes of fields among those after comm, the first of which is field 3.
const (
	flagsField = 9 - 3
	startField = 22 - 3
)

// pfExiting is PF_EXITING, include/linux/sched.h.
const pfExiting = 0x4

// parseStat parses /proc/PID/stat, proc_pid_stat(5):
//
//	1 (systemd) S 0 1 1 0 -1 4194560 42255 9025999 0 306 153 318 12474 3766 20 0 1 0 24 51564544 4799 ...
//	77 (a) R 1 (b) S 1 77 77 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 9912 0 0 ...
//
// comm is the process's choice, with spaces, parentheses and newlines; nothing
// after it has a parenthesis, so it ends at the last one.
func parseStat(content []byte) (stat, error) {
	end := bytes.LastIndexByte(content, ')')
	if end < 0 {
		return stat{}, fmt.Errorf("%w: no comm: %q", cgroup.ErrFormat, head(content))
	}
	fields := bytes.Fields(content[end+1:])
	if len(fields) <= startField {
		return stat{}, fmt.Errorf("%w: no starttime: %q", cgroup.ErrFormat, head(content))
	}
	flags, err := strconv.ParseUint(string(fields[flagsField]), 10, 32)
	if err != nil {
		return stat{}, fmt.Errorf("%w: flags: %q", cgroup.ErrFormat, head(content))
	}
	ticks, err := strconv.ParseUint(string(fields[startField]), 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("%w: starttime: %q", cgroup.ErrFormat, head(content))
	}
	return stat{ticks, flags&pfExiting != 0}, nil
}

// head is as much of a file as an error quotes.
func head(content []byte) []byte { return content[:min(len(content), 80)] }
