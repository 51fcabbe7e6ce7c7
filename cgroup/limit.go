package cgroup

import (
	"errors"
	"io/fs"
)

// Origin is where a number comes from: an interface file of a cgroup. It is kept
// as it was found; its texts are made when somebody asks for them. The zero Origin
// is none.
type Origin struct {
	hierarchy *Hierarchy
	path      string // as in /proc/PID/cgroup
	file      string // absolute where it is no interface file
}

// origin returns a file of p's cgroup.
func (p place) origin(file string) Origin { return Origin{p.hierarchy, p.path, file} }

// Cgroup returns the path of the cgroup, as in /proc/PID/cgroup; "" for none.
func (o Origin) Cgroup() string { return o.path }

// Dir returns the absolute directory of the cgroup; "" for none.
func (o Origin) Dir() string {
	if o.hierarchy == nil {
		return ""
	}
	dir, _ := o.hierarchy.Dir(o.path) // which was found so
	return dir
}

// File returns the absolute name of the file; "" for none.
func (o Origin) File() string {
	if o.hierarchy == nil {
		return o.file
	}
	return o.Dir() + "/" + o.file
}

// Limit is the smallest limit of a cgroup and those above it, and knows whose it
// is.
type Limit struct {
	// Value is in bytes, that of pids.max in processes; [Max] for no limit.
	Value uint64

	from Origin
	// told: v1's memory.stat told the Value, and not whose it is; from is the file
	// in which that cgroup and those above have theirs.
	told bool
}

// hidden is the cgroup of a limit that v1's memory.stat tells of and that no
// readable cgroup has: an ancestor's outside of the mount, or unreadable.
const hidden = "(hidden)"

// From returns whose the limit is, the nearest cgroup's if several have it; the
// zero Origin for no limit. v1's memory.stat does not say whose the limits are
// that it tells of: it is looked for now, and is of a cgroup "(hidden)", without
// a file, when no readable one has it.
func (l Limit) From(h *Host) (Origin, error) {
	switch {
	case l.Value == Max:
		return Origin{}, nil
	case !l.told:
		return l.from, nil
	}
	buf := h.buffer()
	defer h.release(buf)
	found, err := h.limit(buf, place{l.from.hierarchy, l.from.path, l.from.Dir()}, l.from.file, parseLimitV1)
	if err != nil || found.Value == l.Value {
		return found.from, err
	}
	return Origin{path: hidden}, nil
}

// limit returns the smallest value of the file in p's cgroup and its ancestors.
// Ancestors that lack the file or are unreadable (an owner may chmod a delegated
// cgroup) are left out, and some in the middle of a very deep path; p must have
// the file. The root cgroup is not read.
func (h *Host) limit(buf *[]byte, p place, file string, parse func([]byte) (uint64, error)) (Limit, error) {
	least := Limit{Value: Max}
	for q, level, ok := p, 1, true; ok && !q.root(); level++ {
		v, err := h.value(buf, q.dir, file, parse)
		switch {
		case err == nil && v < least.Value:
			least.Value, least.from = v, q.origin(file)
		case err != nil && !unseen(err, level == 1):
			return Limit{Value: Max}, err
		}
		q, ok = q.above(level)
	}
	return least, nil
}

// unseen reports whether a limit of a level is left out for this error.
func unseen(err error, own bool) bool {
	return errors.Is(err, fs.ErrPermission) || !own && errors.Is(err, fs.ErrNotExist)
}

// counted reads a single value file and the limit to it: of the cgroup whose
// counter it is and those above.
func (h *Host) counted(p place, current, most string, parse func([]byte) (uint64, error)) (uint64, Limit, error) {
	buf := h.buffer()
	defer h.release(buf)
	b, p, err := h.charged(buf, p, current)
	if err != nil {
		return 0, Limit{Value: Max}, err
	}
	v, err := parseSingle(b)
	if err != nil {
		return 0, Limit{Value: Max}, formatIn(current, p.dir, err)
	}
	limit, err := h.limit(buf, p, most, parse)
	return v, limit, err
}
