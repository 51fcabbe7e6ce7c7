package container

import (
	"bytes"
	"fmt"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
)

// startField is the index of starttime among the fields after comm: it is field
// 22, and the first one after comm is field 3.
const startField = 22 - 3

// parseStartTicks returns starttime of /proc/PID/stat, proc_pid_stat(5), in
// USER_HZ since boot:
//
//	1 (systemd) S 0 1 1 0 -1 4194560 42255 9025999 0 306 153 318 12474 3766 20 0 1 0 24 51564544 4799 ...
//	77 (a) R 1 (b) S 1 77 77 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 9912 0 0 ...
//
// comm is the process's choice, with spaces, parentheses and newlines; nothing
// after it has a parenthesis, so it ends at the last one.
func parseStartTicks(content []byte) (uint64, error) {
	end := bytes.LastIndexByte(content, ')')
	if end < 0 {
		return 0, fmt.Errorf("%w: no comm: %q", cgroup.ErrFormat, head(content))
	}
	fields := bytes.Fields(content[end+1:])
	if len(fields) <= startField {
		return 0, fmt.Errorf("%w: no starttime: %q", cgroup.ErrFormat, head(content))
	}
	ticks, err := strconv.ParseUint(string(fields[startField]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: starttime: %q", cgroup.ErrFormat, head(content))
	}
	return ticks, nil
}

// head is as much of a file as an error quotes.
func head(content []byte) []byte { return content[:min(len(content), 80)] }
