package view

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
)

// maxTasks bounds the threads that are counted of one cgroup.
const maxTasks = 16384

// census is a count of the threads of a cgroup and all below it.
type census struct {
	running, blocked, threads int

	newest uint32   // highest pid of /proc
	inner  []uint32 // that process's pid in each pid namespace, that of /proc first
	work   int      // threads and cgroups that were looked at
}

// innerPID returns the newest process's pid in the namespace that is depth
// namespaces deep (1 is that of /proc); 0 for a process that was put in from
// outside, or is gone.
func (n *census) innerPID(depth int) uint32 {
	switch {
	case depth == 1:
		return n.newest
	case depth < 1 || len(n.inner) < depth:
		return 0
	}
	return n.inner[depth-1]
}

// count counts the threads of a cgroup and all below it, the first limit of them.
// Processes that end meanwhile do not count. last is the census before.
func (l *Loads) count(m cgroup.Membership, limit int, last *census) (census, error) {
	var now census
	buf := make([]byte, 0, 4096)
	cgroups, err := l.host.WalkProcs(m, limit, func(pid uint32) bool {
		stat, err := l.host.FS.Append(buf[:0], procDir(pid)+"/stat")
		if err != nil {
			return true
		}
		buf = stat
		state, threads, err := parseTask(stat)
		if err != nil {
			return true
		}
		now.newest = max(now.newest, pid)
		if threads > 1 {
			l.countThreads(&now, pid, state, limit)
		} else {
			now.add(state)
		}
		return now.threads < limit
	})
	if err != nil && !errors.Is(err, cgroup.ErrLimit) {
		return census{}, err
	}
	now.work = cgroups + now.threads
	if now.inner = last.inner; now.newest != last.newest {
		now.inner = l.innerPIDs(now.newest)
	}
	return now, nil
}

func procDir(pid uint32) string { return "/proc/" + strconv.FormatUint(uint64(pid), 10) }

func (n *census) add(state byte) {
	n.threads++
	switch state {
	case 'R':
		n.running++
	case 'D':
		n.blocked++
	}
}

// countThreads counts the threads of one process, whose main thread is in a
// state. Where they are not to be seen, that one stands for all.
func (l *Loads) countThreads(now *census, pid uint32, main byte, limit int) {
	dir := procDir(pid) + "/task"
	tids, err := l.host.FS.ReadDir(dir)
	if err != nil {
		now.add(main)
		return
	}
	for _, tid := range tids[:min(len(tids), limit-now.threads)] {
		stat, err := l.host.FS.Append(nil, dir+"/"+tid+"/stat")
		if err != nil {
			continue
		}
		if state, _, err := parseTask(stat); err == nil {
			now.add(state)
		}
	}
}

// innerPIDs returns a process's pid in each of its pid namespaces; nil when the
// process is gone.
//
//	NStgid:	4711	12
func (l *Loads) innerPIDs(pid uint32) []uint32 {
	status, err := l.host.FS.Append(nil, procDir(pid)+"/status")
	if err != nil {
		return nil
	}
	_, rest, _ := bytes.Cut(status, []byte("\nNStgid:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	var inner []uint32
	for field := range bytes.FieldsSeq(line) {
		n, err := strconv.ParseUint(string(field), 10, 32)
		if err != nil {
			return nil
		}
		inner = append(inner, uint32(n))
	}
	return inner
}

// parseTask parses state (field 3) and num_threads (field 20) of /proc/PID/stat,
// proc_pid_stat(5). The name in parentheses may hold anything, ") R (" included.
//
//	4711 (sh) S 1 4711 4711 0 -1 4194560 151 0 0 0 0 0 0 0 20 0 1 0 8127 ...
func parseTask(stat []byte) (state byte, threads int, err error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 || len(stat) < end+4 || stat[end+1] != ' ' || stat[end+3] != ' ' {
		return 0, 0, fmt.Errorf("/proc/PID/stat: %w: %.80q", cgroup.ErrFormat, stat)
	}
	rest := stat[end+4:] // field 4
	for range 20 - 4 {
		if _, rest, _ = bytes.Cut(rest, []byte(" ")); len(rest) == 0 {
			return 0, 0, fmt.Errorf("/proc/PID/stat: %w: %.80q", cgroup.ErrFormat, stat)
		}
	}
	field, _, _ := bytes.Cut(rest, []byte(" "))
	threads, err = strconv.Atoi(string(bytes.TrimRight(field, "\n")))
	if err != nil {
		return 0, 0, fmt.Errorf("/proc/PID/stat: %w: %.80q", cgroup.ErrFormat, stat)
	}
	return stat[end+2], threads, nil
}
