package hostfile

import (
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Held is the running machine, [OS], with the files that are read again and
// again kept open: a pread(2) costs a tenth of open, read and close. What it
// returns is what [OS] would have returned: a held file that gives an error (a
// removed cgroup: ENODEV) is opened anew by its name.
//
// At most limit files are held, and of those too many the ones not read lately
// are closed (CLOCK). Held are interface files of cgroups, the files right in
// /proc, and those of /sys; never cgroup.procs, of which v1 gives an old list to
// who keeps it open (kernel/cgroup/cgroup-v1.c, cgroup_pidlist_start).
type Held struct {
	OS
	limit int

	mu    sync.Mutex // guards what follows, and Held alone changes File.at
	named map[place]*held
	ring  []*held
	hand  int
}

// place is a file by the directory it is in and its name there; of a file that
// was asked for by its whole name, dir is "".
type place struct{ dir, file string }

func (p place) name() string {
	if p.dir == "" {
		return p.file
	}
	return p.dir + "/" + p.file
}

// NewHeld returns the running machine, of which at most limit files are held
// open. The kernel keeps about 5 KiB for each.
func NewHeld(limit int) *Held {
	return &Held{limit: max(limit, 1), named: make(map[place]*held)}
}

// held is one open file. It implements [File].
type held struct {
	pool  *Held
	place place
	used  atomic.Bool // read since the hand last came by
	at    int         // in Held.ring; -1 when not there

	mu     sync.Mutex // guards what follows
	fd     int        // -1 when closed
	busy   bool       // being read: only who reads closes it then
	doomed bool       // to be closed when it is not busy
	next   *crowd     // those who wait for the next reading; nil for nobody
}

// Append implements [FS].
func (h *Held) Append(dst []byte, name string) ([]byte, error) {
	if !lasting(name) {
		return h.OS.Append(dst, name)
	}
	return h.append(dst, place{file: name})
}

// lasting: the file is the same for as long as the machine runs.
func lasting(name string) bool {
	if rest, ok := strings.CutPrefix(name, "/proc/"); ok {
		return !strings.Contains(rest, "/") || strings.HasPrefix(rest, "pressure/")
	}
	return strings.HasPrefix(name, "/sys/devices/system/")
}

// AppendIn is [AppendIn] for files of a cgroup.
func (h *Held) AppendIn(dst []byte, dir, file string) ([]byte, error) {
	if listsTasks(file) {
		return h.OS.Append(dst, dir+"/"+file)
	}
	return h.append(dst, place{dir, file})
}

func (h *Held) append(dst []byte, p place) ([]byte, error) {
	h.mu.Lock()
	f := h.named[p]
	h.mu.Unlock()
	if f != nil {
		if out, err := f.Append(dst); err == nil {
			return out, nil
		}
		f.Close()
	}
	f, err := h.open(p)
	if err != nil {
		return dst, err
	}
	out, err := f.Append(dst)
	if err != nil {
		f.Close()
		return dst, err
	}
	h.keep(f, true)
	return out, nil
}

// Hold implements the method of [Hold].
func (h *Held) Hold(name string) (File, error) {
	f, err := h.open(place{file: name})
	if err != nil {
		return nil, err
	}
	h.keep(f, false)
	return f, nil
}

func (h *Held) open(p place) (*held, error) {
	name := p.name()
	fd, err := open(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f := &held{pool: h, place: p, fd: fd, at: -1}
	f.used.Store(true)
	return f, nil
}

// keep puts f into the ring, and with named into the table, where it replaces
// what another reader put there meanwhile.
func (h *Held) keep(f *held, named bool) {
	h.mu.Lock()
	for len(h.ring) >= h.limit && h.evict() {
	}
	f.at = len(h.ring)
	h.ring = append(h.ring, f)
	var old *held
	if named {
		old = h.named[f.place]
		h.named[f.place] = f
	}
	h.mu.Unlock()
	if old != nil {
		old.Close()
	}
}

// evict closes one file, in the worst case, all used, after two rounds; false
// when all are being read. The caller holds h.mu.
func (h *Held) evict() bool {
	for range 2 * len(h.ring) {
		h.hand = (h.hand + 1) % len(h.ring)
		f := h.ring[h.hand]
		if f.used.Swap(false) || !f.closeIdle() {
			continue
		}
		h.remove(f)
		return true
	}
	return false
}

// remove takes f out of the ring and the table. The caller holds h.mu.
func (h *Held) remove(f *held) {
	if f.at < 0 {
		return
	}
	last := len(h.ring) - 1
	h.ring[f.at] = h.ring[last]
	h.ring[f.at].at = f.at
	h.ring[last] = nil
	h.ring = h.ring[:last]
	f.at = -1
	if h.named[f.place] == f {
		delete(h.named, f.place)
	}
}

// Forget closes what is held in the directories that match. A v1 cgroup can be
// renamed, and the next one of its name is another one: whoever meets a new
// container forgets the files of its directories first.
func (h *Held) Forget(match func(dir string) bool) {
	h.mu.Lock()
	var closing []*held
	for _, f := range h.ring {
		if f.place.dir != "" && match(f.place.dir) {
			closing = append(closing, f)
		}
	}
	h.mu.Unlock()
	for _, f := range closing {
		f.Close()
	}
}

// Len returns how many files are held.
func (h *Held) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ring)
}

// Close implements [File].
func (f *held) Close() {
	f.pool.mu.Lock()
	f.pool.remove(f)
	f.pool.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.doomed = true
	f.close()
}

// closeIdle closes the descriptor unless somebody reads it.
func (f *held) closeIdle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy {
		return false
	}
	f.doomed = true
	f.close()
	return true
}

// close closes the descriptor, if it is to be and nobody reads it. The caller
// holds f.mu.
func (f *held) close() {
	if f.doomed && !f.busy && f.fd >= 0 {
		syscall.Close(f.fd)
		f.fd = -1
	}
}
