package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"syscall"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// ErrLimit is returned, wrapped, by a walk that met its bound.
var ErrLimit = errors.New("more than the limit")

// WalkProcs calls f with the process ids in cgroup.procs of m's identity cgroup
// and all below it, until f returns false. It stops with [ErrLimit] beyond limit
// cgroups or limit processes. Cgroups that vanish meanwhile, or are unreadable,
// are left out, and so are processes that the reader's pid namespace does not
// show (0). An id may come twice when a process moves meanwhile. It returns how
// many cgroups it looked at.
func (h *Host) WalkProcs(m Membership, limit int, f func(pid uint32) bool) (cgroups int, err error) {
	top, err := h.procs(m)
	if err != nil {
		return 0, err
	}
	buf := h.buffer()
	defer h.release(buf)
	w := walk{h: h, buf: buf, f: f, limit: limit, procs: limit}
	w.dirs = append(w.dirs, top.dir)
	n := 0
	for ; n < len(w.dirs) && !w.done; n++ {
		if err := w.visit(w.dirs[n]); err != nil && (n == 0 || !skipped(err)) {
			return n + 1, err
		}
	}
	return n, nil
}

const procsFile = "cgroup.procs"

// ProcsFrom returns where [Host.WalkProcs] begins.
func (h *Host) ProcsFrom(m Membership) (Origin, error) {
	p, err := h.procs(m)
	return p.origin(procsFile), err
}

func (h *Host) procs(m Membership) (place, error) {
	hi, path := h.Identity(m)
	if hi == nil {
		return place{}, fmt.Errorf("cgroup hierarchy: %w", fs.ErrNotExist)
	}
	dir, err := hi.Dir(path)
	return place{hi, path, dir}, err
}

// walk is the state of one WalkProcs: breadth first, dirs still grows.
type walk struct {
	h     *Host
	buf   *[]byte
	f     func(uint32) bool
	dirs  []string
	limit int // of dirs
	procs int // still to come
	done  bool
}

// skipped reports whether a cgroup is left out for this error.
func skipped(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENODEV)
}

func (w *walk) visit(dir string) error {
	b, err := w.h.content(w.buf, dir, procsFile)
	switch {
	case errors.Is(err, syscall.EOPNOTSUPP): // threaded: its processes are listed above
	case err != nil:
		return err
	default:
		if err := w.parseProcs(b); err != nil {
			return formatIn(procsFile, dir, err)
		}
	}
	if w.done {
		return nil
	}
	room := w.limit - len(w.dirs)
	names, err := hostfile.Subdirs(w.h.FS, dir, room+1)
	if err != nil {
		return err
	}
	if len(names) > room {
		return fmt.Errorf("cgroups below %s: %w", w.dirs[0], ErrLimit)
	}
	for _, n := range names {
		w.dirs = append(w.dirs, dir+"/"+n)
	}
	return nil
}

// parseProcs parses cgroup.procs:
//
//	1423
//	1431
//
// The order is none; a process of another pid namespace is 0.
func (w *walk) parseProcs(content []byte) error {
	for len(content) > 0 && !w.done {
		line, rest, terminated := cutLine(content)
		pid, ok := parseDigits(line)
		if !ok || !terminated || pid > math.MaxInt32 {
			return formatError(line)
		}
		content = rest
		if pid == 0 {
			continue
		}
		if w.procs--; w.procs < 0 {
			return fmt.Errorf("processes: %w", ErrLimit)
		}
		w.done = !w.f(uint32(pid))
	}
	return nil
}
