package container

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procfs"
)

// initScope is where systemd, as pid 1, puts itself below the cgroup it manages.
const initScope = "/init.scope"

// task is one consistent reading of a task.
type task struct {
	pid    uint32
	tag    uint64 // inode of /proc/PID
	status status
	raw    string // /proc/PID/cgroup
	top    string // see [Resolver.top]
	place

	// Of a caller only:
	file      hostfile.File // /proc/PID/cgroup, held
	walked    bool          // other processes were read by their pids
	parentSeq uint64        // Resolver.parentSeq before it was read
}

// place is where a task is in the cgroup hierarchies; without /init.scope.
type place struct {
	member cgroup.Membership
	hier   *cgroup.Hierarchy // identity hierarchy; nil when there is none
	path   string            // in hier
}

// wholeFile is for files whose length a process can't choose, or not freely.
const wholeFile = hostfile.MaxSize

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

// tag returns what tells the task that has the pid now from any later one.
func (r *inquiry) tag(pid uint32) (uint64, error) {
	info, err := r.stat(procfs.Dir(pid))
	return info.Inode, err
}

// readTask reads a task; what it returns is all of one and the same task.
func (r *inquiry) readTask(pid uint32) (*task, error) {
	t := &task{pid: pid}
	var err error
	if t.tag, err = r.tag(pid); err != nil {
		return nil, err
	}
	if t.status, err = r.readStatus(pid); err != nil {
		return nil, err
	}
	if err = r.readPlace(t, func(dst []byte) ([]byte, error) {
		return r.read(dst, procfs.Dir(pid)+"/cgroup", wholeFile)
	}); err != nil {
		return nil, err
	}
	return t, r.checkTag(pid, t.tag)
}

// readCaller reads a task. Its file was opened before and is read last: what it
// gives then, it gives of a task that lived all the while and so is the one that
// the pid stood for.
func (r *inquiry) readCaller(pid uint32, file hostfile.File, parentSeq uint64) (*task, error) {
	t := &task{pid: pid, file: file, parentSeq: parentSeq}
	var err error
	if t.status, err = r.readStatus(pid); err == nil {
		err = r.readPlace(t, file.Append)
	}
	return t, err
}

// lives returns an error when the caller lives no more.
func (t *task) lives(r *Resolver) error {
	buf := r.buffer()
	defer r.release(buf)
	var err error
	*buf, err = t.file.Append((*buf)[:0])
	return err
}

func (r *inquiry) checkTag(pid uint32, tag uint64) error {
	now, err := r.tag(pid)
	if err == nil && now != tag {
		err = errChanged
	}
	return err
}

func (r *inquiry) readStatus(pid uint32) (status, error) {
	buf := r.buffer()
	defer r.release(buf)
	var err error
	name := procfs.Dir(pid) + "/status"
	if *buf, err = r.read((*buf)[:0], name, wholeFile); err != nil {
		return status{}, err
	}
	s, err := parseStatus(*buf)
	if err != nil {
		return status{}, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func (r *inquiry) readStartTicks(pid uint32) (uint64, error) {
	s, err := r.readStat(pid)
	return s.StartTicks, err
}

func (r *inquiry) readStat(pid uint32) (procfs.Stat, error) {
	buf := r.buffer()
	defer r.release(buf)
	var err error
	name := procfs.Dir(pid) + "/stat"
	if *buf, err = r.read((*buf)[:0], name, wholeFile); err != nil {
		return procfs.Stat{}, err
	}
	s, err := procfs.ParseStat(*buf)
	if err != nil {
		return procfs.Stat{}, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// What is read of a process's mountinfo: its root is among the first mounts, and
// how many it has is its own choice. The host's may have been mounted later.
const (
	mountsHead     = 4 << 10
	hostMountsHead = 64 << 10
)

func (r *inquiry) readRootMount(pid uint32) (rootMount, error) {
	buf := r.buffer()
	defer r.release(buf)
	var err error
	name, head := procfs.Dir(pid)+"/mountinfo", mountsHead
	if pid == 1 {
		head = hostMountsHead
	}
	if *buf, err = r.read((*buf)[:0], name, head); err != nil {
		return rootMount{}, err
	}
	root, err := parseRootMount(*buf)
	if err != nil {
		return rootMount{}, fmt.Errorf("%s: %w", name, err)
	}
	return root, nil
}

// readPlace reads t's /proc/PID/cgroup. Callers of one container have the same
// content and share what it says.
func (r *inquiry) readPlace(t *task, read func([]byte) ([]byte, error)) error {
	buf := r.buffer()
	defer r.release(buf)
	var err error
	if *buf, err = read((*buf)[:0]); err != nil {
		return err
	}
	r.mu.Lock()
	known, ok := r.lines.get(string(*buf))
	r.mu.Unlock()
	if !ok {
		if known.place, err = r.parsePlace(*buf); err != nil {
			return fmt.Errorf("%s/cgroup: %w", procfs.Dir(t.pid), err)
		}
		known.raw, known.top = string(*buf), r.top(known.place)
		r.mu.Lock()
		r.lines.put(known.raw, known)
		r.mu.Unlock()
	}
	t.raw, t.top, t.place = known.raw, known.top, known.place
	return nil
}

// line is the content of a /proc/PID/cgroup and what it says. Immutable: a cgroup
// that is given away later has the bounds that it had.
type line struct {
	raw, top string
	place    place
}

func (r *inquiry) parsePlace(raw []byte) (place, error) {
	m, err := cgroup.ParseMembership(raw)
	if err != nil {
		return place{}, err
	}
	for i := range m {
		m[i].Path = stripInitScope(m[i].Path)
	}
	return r.placeOf(m), nil
}

func (r *Resolver) placeOf(m cgroup.Membership) place {
	hier, path := r.host.Identity(m)
	if path == "" {
		path = "/"
	}
	return place{m, hier, path}
}

func stripInitScope(path string) string {
	if path == initScope {
		return "/"
	}
	return strings.TrimSuffix(path, initScope)
}

// cut returns p moved up to the cgroup called path, in every hierarchy where it
// is below a cgroup of that name.
func (r *Resolver) cut(p place, path string) place {
	m := make(cgroup.Membership, len(p.member))
	copy(m, p.member)
	for i := range m {
		if within(m[i].Path, path) {
			m[i].Path = path
		}
	}
	return place{m, p.hier, path}
}

// pathIn returns m's path in a hierarchy.
func pathIn(h *cgroup.Hierarchy, m cgroup.Membership) (string, bool) {
	switch {
	case h == nil:
		return "", false
	case h.Version == 2:
		return m.Path("")
	case h.Name != "":
		return m.Path("name=" + h.Name)
	case len(h.Controllers) > 0:
		return m.Path(h.Controllers[0])
	}
	return "", false
}

// inode returns that of the cgroup's directory. A directory that its owner
// hides is stood for by the nearest one above that can be seen.
func (r *inquiry) inode(p place) (uint64, error) {
	if p.hier == nil {
		return 0, nil
	}
	for path := p.path; ; path = parentPath(path) {
		dir, err := p.hier.Dir(path)
		if err != nil {
			return 0, err
		}
		info, err := r.stat(dir)
		if errors.Is(err, fs.ErrPermission) && path != "/" {
			continue
		}
		if p.hier.Version == 1 && p.hier.Name == "" {
			// Each v1 hierarchy numbers its inodes from 1, and without systemd the
			// identity hierarchy is not the same for all.
			info.Inode ^= info.Dev << 48
		}
		return info.Inode, err
	}
}

// maxTrusted is how many cgroups may be above one whose name is believed. No
// runtime makes one so deep.
const maxTrusted = 32

// trusted: root owns every directory above the cgroup, so that root (or whom
// root asked) chose its name. A machine of systemd's may have the host's root for
// its own: below its unit only payload is a name of the host's.
func (r *Resolver) trusted(h *cgroup.Hierarchy, path string) bool {
	if h == nil || strings.Count(path, "/") > maxTrusted {
		return false
	}
	if u := cgroup.UnitOf(path); u.Machine != "" && path != u.Path && path != u.Path+"/payload" {
		return false
	}
	for path != "/" {
		path = parentPath(path)
		dir, err := h.Dir(path)
		if err != nil {
			return false
		}
		if info, err := r.host.FS.Stat(dir); err != nil || info.UID != 0 {
			return false
		}
	}
	return true
}

// appendProcs appends the pids in the content of cgroup.procs, at most limit,
// one a line; a line without its end is left out, for only the beginning may have
// been read. 0 stands for a process that the reader cannot see, and other
// lines are not written by the kernel; both are left out.
func appendProcs(dst []uint32, content []byte, limit int) []uint32 {
	for line := range bytes.Lines(content) {
		if limit <= 0 {
			break
		}
		pid, err := parsePID("cgroup.procs", line)
		if err != nil || pid == 0 || line[len(line)-1] != '\n' {
			continue
		}
		dst = append(dst, pid)
		limit--
	}
	return dst
}
