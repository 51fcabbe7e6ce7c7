package cgroup

import (
	"io/fs"
	"sync/atomic"
)

// negativeCache is what is known of an interface file that not every kernel has. Where
// it was often looked for and never found it is looked for now and then only:
// a module that brings it (bfq) may be loaded at any time.
type negativeCache struct {
	found  atomic.Bool
	misses atomic.Uint32
}

const (
	// missesBelieved is how many misses in a row make a file absent: a cgroup
	// that is being made or removed may have some of its files only.
	missesBelieved = 16
	// missesRetried: of an absent file every so many looks are real.
	missesRetried = 256
)

// absent counts a look.
func (r *negativeCache) absent() bool {
	if r.found.Load() {
		return false
	}
	n := r.misses.Load()
	if n < missesBelieved {
		return false
	}
	return r.misses.Add(1)%missesRetried != 0
}

func (r *negativeCache) note(err error) {
	switch {
	case err == nil && !r.found.Load():
		r.found.Store(true)
	case err != nil && r.misses.Load() < missesBelieved:
		r.misses.Add(1)
	}
}

// rareContent is content of a file that not every kernel has. Of one that was
// never seen it may return a bare fs.ErrNotExist without a look.
func (h *Host) rareContent(buf *[]byte, dir, file string) ([]byte, error) {
	known, ok := h.absentFiles.Load(file)
	if !ok {
		known, _ = h.absentFiles.LoadOrStore(file, new(negativeCache))
	}
	r := known.(*negativeCache)
	if r.absent() {
		return nil, fs.ErrNotExist
	}
	b, err := h.content(buf, dir, file)
	r.note(err)
	return b, err
}
