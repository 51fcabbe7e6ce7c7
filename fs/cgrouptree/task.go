package cgrouptree

import (
	"bytes"
	"fmt"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
)

// task is the part of /proc/TID/status that is used here.
type task struct {
	tgid, ppid uint32
	nspid      []uint32 // thread id in each pid namespace, outermost first
	nstgid     []uint32 // process id, likewise
	uids, gids [4]uint32
	groups     []uint32
	caps       uint64 // effective
}

func (t *task) depth() int { return len(t.nspid) }

// task reads that of a thread.
func (t *Tree) task(tid uint32) (task, error) {
	name := fmt.Sprintf("/proc/%d/status", tid)
	text, err := t.proc.Append(nil, name)
	if err != nil {
		return task{}, err
	}
	s, err := parseStatus(text)
	if err != nil {
		return task{}, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// startTicks reads when a process started, in USER_HZ since boot: field 22 of
// /proc/PID/stat, proc_pid_stat(5). The second field, in parentheses, may hold
// anything.
func (t *Tree) startTicks(pid uint32) (uint64, error) {
	name := fmt.Sprintf("/proc/%d/stat", pid)
	text, err := t.proc.Append(nil, name)
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return 0, fmt.Errorf("%s: %w: %q", name, cgroup.ErrFormat, text)
	}
	return strconv.ParseUint(string(fields[19]), 10, 64)
}

// parseStatus parses /proc/PID/status, proc_pid_status(5):
//
//	Tgid:	14184
//	PPid:	14182
//	Uid:	100000	100000	100000	100000
//	Groups:	100010 100004
//	NStgid:	14184	12	1
//	NSpid:	14184	12	1
//	CapEff:	000001ffffffffff
//
// All of these must be there (NSpid: since Linux 4.1); others are ignored. The
// kernel escapes a newline in Name, and of a line that comes twice the last counts.
func parseStatus(text []byte) (task, error) {
	var t task
	seen := 0
	for line := range bytes.Lines(text) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		known, ok := t.set(string(key), bytes.Fields(value))
		if known && !ok {
			return task{}, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
		}
		if known {
			seen++
		}
	}
	if seen < 8 || t.depth() == 0 || len(t.nstgid) != t.depth() {
		return task{}, fmt.Errorf("%w: lines missing", cgroup.ErrFormat)
	}
	return t, nil
}

// set takes one line over; known is false for one that is not used.
func (t *task) set(key string, fields [][]byte) (known, ok bool) {
	switch key {
	case "Tgid":
		return true, parseInto(fields, &t.tgid)
	case "PPid":
		return true, parseInto(fields, &t.ppid)
	case "Uid":
		return true, parseInto(fields, &t.uids[0], &t.uids[1], &t.uids[2], &t.uids[3])
	case "Gid":
		return true, parseInto(fields, &t.gids[0], &t.gids[1], &t.gids[2], &t.gids[3])
	case "Groups":
		t.groups, ok = parseList(fields)
		return true, ok
	case "NSpid":
		t.nspid, ok = parseList(fields)
		return true, ok
	case "NStgid":
		t.nstgid, ok = parseList(fields)
		return true, ok
	case "CapEff":
		if len(fields) != 1 {
			return true, false
		}
		var err error
		t.caps, err = strconv.ParseUint(string(fields[0]), 16, 64)
		return true, err == nil
	}
	return false, true
}

func parseInto(fields [][]byte, dst ...*uint32) bool {
	list, ok := parseList(fields)
	if !ok || len(list) != len(dst) {
		return false
	}
	for i := range dst {
		*dst[i] = list[i]
	}
	return true
}

func parseList(fields [][]byte) ([]uint32, bool) {
	list := make([]uint32, len(fields))
	for i, f := range fields {
		n, err := strconv.ParseUint(string(f), 10, 32)
		if err != nil {
			return nil, false
		}
		list[i] = uint32(n)
	}
	return list, true
}
