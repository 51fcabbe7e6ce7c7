package cgrouptree

import (
	"cmp"
	"fmt"

	"linuxcontainers.org/lxcfs/cgroup/procpid"
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
	return procpid.Read(t.proc, tid, "status", parseStatus)
}

// startTicks reads when a process started, in USER_HZ since boot.
func (t *Tree) startTicks(pid uint32) (uint64, error) {
	s, err := procpid.Read(t.proc, pid, "stat", procpid.ParseStat)
	return s.StartTicks, err
}

// parseStatus parses /proc/PID/status. All that is used must be there (NSpid: since
// Linux 4.1).
func parseStatus(text []byte) (task, error) {
	s := procpid.Status(text)
	var t task
	var errs [8]error
	t.tgid, errs[0] = s.Line("Tgid").Number()
	t.ppid, errs[1] = s.Line("PPid").Number()
	t.uids, errs[2] = s.Line("Uid").IDs()
	t.gids, errs[3] = s.Line("Gid").IDs()
	t.groups, errs[4] = s.Line("Groups").Numbers(nil)
	t.nspid, errs[5] = s.Line("NSpid").Numbers(nil)
	t.nstgid, errs[6] = s.Line("NStgid").Numbers(nil)
	t.caps, errs[7] = s.Line("CapEff").Mask()
	if err := cmp.Or(errs[:]...); err != nil {
		return task{}, err
	}
	if t.depth() == 0 || len(t.nstgid) != t.depth() {
		return task{}, fmt.Errorf("%w: %q, %q", procpid.ErrFormat, s.Line("NSpid"), s.Line("NStgid"))
	}
	return t, nil
}
