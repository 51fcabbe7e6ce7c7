package container

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// reader reads the facts of one decision, and no more than it may. Whoever asks
// chooses how many processes, mounts and cgroups there are to look at; a decision
// costs a bounded number of files and bytes all the same. It is used by one
// goroutine.
type reader struct {
	*machine
	files, bytes int // that may yet be read
}

// errSpent ends a decision that has read as much as one may.
var errSpent = errors.New("more processes and mounts to look at than one decision may")

// reader returns one of a decision.
func (m *machine) reader() *reader { return &reader{m, m.opts.MaxFiles, m.opts.MaxBytes} }

// unbounded is for what no caller waits for.
func (m *machine) unbounded() *reader { return &reader{m, math.MaxInt, math.MaxInt} }

// half returns a reader that may read half of what r may, and what to call at its
// end.
func (r *reader) half() (h *reader, done func()) {
	files, bytes := r.files/2, r.bytes/2
	h = &reader{r.machine, files, bytes}
	return h, func() { r.files, r.bytes = r.files-(files-h.files), r.bytes-(bytes-h.bytes) }
}

// pay counts a file about to be read.
func (r *reader) pay() error {
	if r.files--; r.files < 0 {
		return errSpent
	}
	return nil
}

// wholeFile is for files whose length a process can't choose, or not freely.
const wholeFile = hostfile.MaxSize

// read appends a file's first bytes to dst, at most limit; errSpent when fewer
// than there are may yet be read.
func (r *reader) read(dst []byte, name string, limit int) ([]byte, error) {
	if err := r.pay(); err != nil {
		return dst, err
	}
	most := min(limit, r.bytes)
	out, err := hostfile.AppendHead(r.host.FS, dst, name, most)
	n := len(out) - len(dst)
	r.bytes -= n
	if err == nil && n == most && most < limit {
		err = errSpent
	}
	return out, err
}

// look calls parse with the first bytes of a file, which are good until it returns.
func (r *reader) look(name string, limit int, parse func(content []byte) error) error {
	buf := r.buffer()
	defer r.release(buf)
	var err error
	if *buf, err = r.read((*buf)[:0], name, limit); err != nil {
		return err
	}
	if err := parse(*buf); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// stat is what is known of a file or directory.
func (r *reader) stat(name string) (hostfile.Info, error) {
	if err := r.pay(); err != nil {
		return hostfile.Info{}, err
	}
	return r.host.FS.Stat(name)
}

// tag returns what tells the task that has the pid now from any later one.
func (r *reader) tag(pid uint32) (uint64, error) {
	info, err := r.stat(procpid.Dir(pid))
	return info.Inode, err
}

func (r *reader) checkTag(pid uint32, tag uint64) error {
	now, err := r.tag(pid)
	if err == nil && now != tag {
		err = errChanged
	}
	return err
}

func (r *reader) readStatus(pid uint32) (s status, err error) {
	err = r.look(procpid.Dir(pid)+"/status", wholeFile, func(content []byte) (err error) {
		s, err = parseStatus(content)
		return err
	})
	return s, err
}

func (r *reader) readStat(pid uint32) (s procpid.Stat, err error) {
	err = r.look(procpid.Dir(pid)+"/stat", wholeFile, func(content []byte) (err error) {
		s, err = procpid.ParseStat(content)
		return err
	})
	return s, err
}

// What is read of a process's mountinfo: its root is among the first mounts, and
// how many it has is its own choice. The host's may have been mounted later.
const (
	mountsHead     = 4 << 10
	hostMountsHead = 64 << 10
)

func (r *reader) readRootMount(pid uint32) (m rootMount, err error) {
	head := mountsHead
	if pid == 1 {
		head = hostMountsHead
	}
	err = r.look(procpid.Dir(pid)+"/mountinfo", head, func(content []byte) (err error) {
		m, err = parseRootMount(content)
		return err
	})
	return m, err
}

// inode returns that of the cgroup's directory. A directory that its owner
// hides is stood for by the nearest one above that can be seen.
func (r *reader) inode(p place) (uint64, error) {
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
