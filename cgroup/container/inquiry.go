package container

import (
	"errors"
	"math"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// inquiry is one decision in the making: the Resolver, and how much it may yet
// read. Whoever asks chooses how many processes, mounts and cgroups there are to
// look at; a decision costs a bounded number of files and bytes all the same. It
// is used by one goroutine.
type inquiry struct {
	*Resolver
	files, bytes int  // that may yet be read
	last         bool // it is not begun again when processes change under it
}

// errSpent ends a decision that has read as much as one may.
var errSpent = errors.New("more processes and mounts to look at than one decision may")

// inquire begins a decision.
func (r *Resolver) inquire() *inquiry {
	return &inquiry{Resolver: r, files: r.opts.MaxFiles, bytes: r.opts.MaxBytes}
}

// unbounded is for what no caller waits for.
func (r *Resolver) unbounded() *inquiry {
	return &inquiry{Resolver: r, files: math.MaxInt, bytes: math.MaxInt}
}

// half returns an inquiry that may read half of what r may, and what to call at its
// end.
func (r *inquiry) half() (h *inquiry, done func()) {
	files, bytes := r.files/2, r.bytes/2
	h = &inquiry{r.Resolver, files, bytes, r.last}
	return h, func() { r.files, r.bytes = r.files-(files-h.files), r.bytes-(bytes-h.bytes) }
}

// pay counts a file about to be read.
func (r *inquiry) pay() error {
	if r.files--; r.files < 0 {
		return errSpent
	}
	return nil
}

// read appends a file's first bytes to dst, at most limit; errSpent when fewer
// than there are may yet be read.
func (r *inquiry) read(dst []byte, name string, limit int) ([]byte, error) {
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

// stat is what is known of a file or directory.
func (r *inquiry) stat(name string) (hostfile.Info, error) {
	if err := r.pay(); err != nil {
		return hostfile.Info{}, err
	}
	return r.host.FS.Stat(name)
}
