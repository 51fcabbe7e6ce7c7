package container

import (
	"bytes"
	"fmt"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
)

// status is the part of /proc/PID/status that says where a task is in the tree
// of processes and pid namespaces.
type status struct {
	tgid, ppid uint32
	// nstgid is the process id in each pid namespace, outermost first. Never
	// empty; its length is the depth.
	nstgid []uint32
	// blind: the kernel has no pid namespaces (CONFIG_PID_NS=n) or does not say.
	blind bool
}

func (s *status) depth() int { return len(s.nstgid) }

// init: the process is pid 1 of a pid namespace below that of /proc.
func (s *status) init() bool { return len(s.nstgid) > 1 && s.nstgid[len(s.nstgid)-1] == 1 }

// maxDepth is more than MAX_PID_NS_LEVEL (32, include/linux/pid_namespace.h).
const maxDepth = 64

// parseStatus parses /proc/PID/status, proc_pid_status(5):
//
//	Name:	cat
//	Tgid:	14184
//	Pid:	14184
//	PPid:	14182
//	NStgid:	14184	12	1
//	NSpid:	14184	12	1
//
// The caller may be any thread, so NStgid counts and not NSpid. NStgid is there
// since Linux 4.1, with CONFIG_PID_NS; without it NSpid is taken, and without
// that the depth is 1, so that only cgroups decide. Name is the caller's choice;
// the kernel escapes a newline in it, and the last line of a name counts here.
// Other lines are ignored; Tgid and PPid must be there.
func parseStatus(content []byte) (status, error) {
	var tgid, ppid, nstgid, nspid []byte
	for line := range bytes.Lines(content) {
		key, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		switch string(key) {
		case "Tgid":
			tgid = value
		case "PPid":
			ppid = value
		case "NStgid":
			nstgid = value
		case "NSpid":
			nspid = value
		}
	}
	var s status
	var err error
	if s.tgid, err = parsePID("Tgid", tgid); err != nil {
		return status{}, err
	}
	if s.ppid, err = parsePID("PPid", ppid); err != nil {
		return status{}, err
	}
	if nstgid == nil {
		nstgid = nspid
	}
	if nstgid == nil {
		s.nstgid, s.blind = []uint32{s.tgid}, true
		return s, nil
	}
	s.nstgid, err = parsePIDs("NStgid", nstgid)
	return s, err
}

func parsePIDs(name string, value []byte) ([]uint32, error) {
	fields := bytes.Fields(value)
	if len(fields) == 0 || len(fields) > maxDepth {
		return nil, fmt.Errorf("%w: %s: %q", cgroup.ErrFormat, name, value)
	}
	pids := make([]uint32, len(fields))
	for i, f := range fields {
		pid, err := parsePID(name, f)
		if err != nil {
			return nil, err
		}
		pids[i] = pid
	}
	return pids, nil
}

func parsePID(name string, value []byte) (uint32, error) {
	pid, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %q", cgroup.ErrFormat, name, value)
	}
	return uint32(pid), nil
}
