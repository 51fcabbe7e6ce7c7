package container

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"syscall"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// task is one consistent reading of a task.
type task struct {
	pid    uint32
	tag    uint64 // inode of /proc/PID
	status status
	raw    string // /proc/PID/cgroup
	top    string // see [machine.top]
	place
}

// process is a process and when it started; of an init that is known, its record and
// its pid and place alone.
type process struct {
	task
	start uint64
	rec   *record
}

// at takes over what the content of t's /proc/PID/cgroup says.
func (t *task) at(l line) { t.raw, t.top, t.place = l.raw, l.top, l.place }

// isGone: the file is of a task or cgroup that is no more.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.ENODEV)
}

// gone makes an error satisfy errors.Is(err, syscall.ESRCH) when it says that
// the task of that role ("caller", "init") is no more. Other errors are as they
// were.
func gone(role string, pid uint32, err error) error {
	if !isGone(err) || errors.Is(err, errChanged) {
		return err
	}
	return fmt.Errorf("%s %d is gone: %w (%w)", role, pid, syscall.ESRCH, err)
}

// changed makes the end of any task but the caller a reason to begin again.
func changed(err error) error {
	if !isGone(err) || errors.Is(err, errChanged) {
		return err
	}
	return fmt.Errorf("%w (%w)", errChanged, err)
}

// errChanged: what was read of two tasks does not fit together. Reading again
// helps.
var errChanged = fmt.Errorf("processes changed meanwhile: %w", syscall.ESRCH)

// readTask reads a task; what it returns is all of one and the same task.
func (r *reader) readTask(pid uint32) (*task, error) {
	t := &task{pid: pid}
	var err error
	if t.tag, err = r.tag(pid); err != nil {
		return nil, err
	}
	if t.status, err = r.readStatus(pid); err != nil {
		return nil, err
	}
	err = r.look(procpid.Dir(pid)+"/cgroup", wholeFile, func(content []byte) error {
		l, err := r.parse(content)
		t.at(l)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, r.checkTag(pid, t.tag)
}

// readCaller reads a task. Its file was opened before and is read last: what it
// gives then, it gives of a task that lived all the while and so is the one that
// the pid stood for.
func (r *reader) readCaller(pid uint32, file hostfile.File) (*task, error) {
	t := &task{pid: pid}
	var err error
	if t.status, err = r.readStatus(pid); err != nil {
		return nil, err
	}
	return t, r.readPlace(t, file.Append)
}

// readPlace reads t's cgroups; that cannot block, and does not count.
func (m *machine) readPlace(t *task, read func(dst []byte) ([]byte, error)) error {
	buf := m.buffer()
	defer m.release(buf)
	var err error
	if *buf, err = read((*buf)[:0]); err != nil {
		return err
	}
	l, err := m.parse(*buf)
	if err != nil {
		return fmt.Errorf("%s/cgroup: %w", procpid.Dir(t.pid), err)
	}
	t.at(l)
	return nil
}

// readInit reads an init whole; errChanged when the pid is no init (any more).
func (r *reader) readInit(pid uint32) (*process, error) {
	t, err := r.readTask(pid)
	if err != nil {
		return nil, gone("init", pid, err)
	}
	if !t.status.init() || t.status.tgid != pid {
		return nil, errChanged
	}
	s, err := r.readStat(pid)
	if err == nil && s.Exiting {
		err = r.readLivingThread(t)
	}
	if err == nil {
		err = r.checkTag(pid, t.tag)
	}
	return &process{task: *t, start: s.StartTicks}, gone("init", pid, err)
}

// readLivingThread takes t's cgroups from a thread of t that is not exiting, for
// a main thread that called pthread_exit(3). Without one, the process is dying:
// on v1 it is in the root cgroups by now, and errChanged.
func (r *reader) readLivingThread(t *task) error {
	names, err := r.host.FS.ReadDir(procpid.Dir(t.pid) + "/task")
	if err != nil {
		return changed(err)
	}
	for _, name := range names[:min(len(names), r.opts.MaxScan)] {
		tid, err := strconv.ParseUint(name, 10, 32)
		if err != nil {
			continue
		}
		if s, err := r.readStat(uint32(tid)); err != nil || s.Exiting {
			continue
		}
		thread, err := r.readTask(uint32(tid))
		if err == nil && thread.status.tgid == t.pid {
			t.place, t.top = thread.place, thread.top
			return nil
		}
	}
	return errChanged
}
