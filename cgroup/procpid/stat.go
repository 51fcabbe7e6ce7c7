package procpid

import (
	"bytes"
	"fmt"
	"strconv"
)

// Stat is what lxcfs uses of a /proc/PID/stat, proc_pid_stat(5).
type Stat struct {
	// State is field 3: 'R', 'S', 'D', 'Z', ...
	State byte
	// Exiting: the task is on its way through do_exit (kernel/exit.c), which takes it
	// out of its v1 cgroups long before it is gone, or its children are. It is
	// PF_EXITING (include/linux/sched.h) in field 9.
	Exiting bool
	// Threads is how many there are in the process, field 20.
	Threads int
	// StartTicks is when the task started, in USER_HZ since boot, field 22.
	StartTicks uint64
}

const pfExiting = 0x4

// ParseStat parses a /proc/PID/stat:
//
//	1 (systemd) S 0 1 1 0 -1 4194560 42255 9025999 0 306 153 318 12474 3766 20 0 1 0 24 51564544 4799 ...
//	77 (a) R 1 (b) S 1 77 77 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 9912 0 0 ...
//
// The second field is the process's choice, with spaces, parentheses and newlines;
// nothing after it has a parenthesis, so it ends at the last one.
func ParseStat(content []byte) (Stat, error) {
	end := bytes.LastIndexByte(content, ')')
	fields := content[end+1:]
	var s Stat
	number := 2
	for field := range bytes.FieldsSeq(fields) {
		var err error
		switch number++; number {
		case 3:
			s.State = field[0]
		case 9:
			var flags uint64
			flags, err = strconv.ParseUint(string(field), 10, 32)
			s.Exiting = flags&pfExiting != 0
		case 20:
			s.Threads, err = strconv.Atoi(string(field))
		case 22:
			s.StartTicks, err = strconv.ParseUint(string(field), 10, 64)
		}
		if err != nil {
			return Stat{}, fmt.Errorf("%w: field %d: %q", ErrFormat, number, head(content))
		}
		if number == 22 {
			break
		}
	}
	if end < 0 || number < 22 {
		return Stat{}, fmt.Errorf("%w: %q", ErrFormat, head(content))
	}
	return s, nil
}
