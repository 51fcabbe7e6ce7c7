package fs

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/cgroup/fair"
)

// Store keeps open handles across processes; package session's Handles is one.
type Store interface {
	// Epoch numbers this process among all that served the connection.
	Epoch() uint32
	// Save records a handle: its node id, the length rendered, the bytes unless
	// the reader has had them all (nil), and whose room in the store it takes.
	Save(fh, node, length uint64, content []byte, owner string)
	// Load returns what Save recorded, in this process or in an earlier one.
	Load(fh uint64) (node, length uint64, content []byte, ok bool)
	// Drop forgets a handle.
	Drop(fh uint64)
}

const (
	// maxContent bounds the bytes kept for all handles of a connection that were
	// rendered, or opened for writing. The owner who has the most loses the one
	// that was used longest ago. If it was read in part the store has its length
	// and content still, within the bounds of its own; else it is rendered anew,
	// cut to the length that its reader knows.
	maxContent = 32 << 20
	// handleCost is what a handle counts beside its content, in bytes: itself, and
	// its places in a map and a ledger.
	handleCost = 512
)

// unknownLength is the length of a handle that was never rendered.
const unknownLength = ^uint64(0)

// rendering appends a file's text to dst. It says whose the handle is that the
// text is for: the top-level container of who reads, "" when that is not known.
type rendering func(dst []byte) (text []byte, owner string, err error)

// handle is what is known of an open file. An open file that nobody has read yet
// has none: its number says enough. mu guards what follows it; it is held while
// the file is rendered, so reads of one open file are served one after the other.
type handle struct {
	fh, node uint64
	opener   *uint32 // of one opened for writing, see openedBy; does not change

	mu      sync.Mutex
	length  uint64 // bytes that the reader was told of; unknownLength
	content []byte // nil when it is not known
	buffer  []byte // storage that the next rendering appends to
	kept    bool   // there is something here that the store does not say
	owner   string // whose it is, when it is kept

	users int                // who have it of get; guarded by handles.mu
	place fair.Item[*handle] // in handles.idle, while nobody has it; guarded by handles.mu
}

// handles is the table of those open files of which more is known than their
// number. mu guards what follows it, and is taken after a handle's own mu, never
// before it: what is forgotten is nobody's at the time.
type handles struct {
	store   Store
	waiting *fair.Gate[*handle]
	last    atomic.Uint64 // number that was given

	mu      sync.Mutex
	known   map[uint64]*handle
	idle    fair.Ledger[*handle] // those of known that nobody uses, by bytes
	budget  int
	buffers [][]byte // storage of forgotten handles
}

func newHandles(store Store) *handles {
	return &handles{store: store, known: make(map[uint64]*handle), budget: maxContent,
		waiting: fair.NewGate[*handle](maxWaiting, waitingRoom, waitingPatience)}
}

// create returns the number of a handle that is opened. Nothing is kept of it:
// who opens files and never reads them would have all the memory there is.
func (t *handles) create() uint64 { return handleNumber(t.store.Epoch(), t.last.Add(1)) }

// A handle's number is the epoch of the process that opened it and a counter. It is
// given once as long as anybody may have it: two open files of one number would
// share what was rendered, for whichever container. Somebody who opens and closes
// files all the time gets through 32 bits in a day or two, and through 44 in
// years. Earlier versions gave 32 to each part; no epoch of theirs had bit 30.
const (
	numbered  = 1 << 62 // in numbers of this kind; 1 << 63 is the journal's
	epochBits = 18
	countBits = 62 - epochBits
)

func handleNumber(epoch uint32, count uint64) uint64 {
	return numbered | uint64(epoch)&(1<<epochBits-1)<<countBits | count&(1<<countBits-1)
}

// get returns the handle of that number and node: one that is known, one that the
// store has a record of, from this process or an earlier one, else a new one. It
// returns nil when the number is known to belong to another node. To be followed
// by put.
func (t *handles) get(fh, node uint64) *handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.known[fh]
	if h == nil {
		h = t.restore(fh, node)
	}
	if h.node != node {
		return nil
	}
	t.known[fh] = h
	t.idle.Remove(&h.place)
	h.users++
	return h
}

func (t *handles) restore(fh, node uint64) *handle {
	h := &handle{fh: fh, node: node, length: unknownLength}
	h.place.Value = h
	if n := len(t.buffers); n > 0 {
		h.buffer, t.buffers = t.buffers[n-1], t.buffers[:n-1]
	}
	owner, length, content, ok := t.store.Load(fh)
	if !ok {
		return h
	}
	h.node, h.length = owner, length
	h.restoreOpener(length, content)
	if content != nil && uint64(len(content)) == length {
		h.content = append([]byte(nil), content...)
	}
	return h
}

// put gives back what get returned. What the store says as well is forgotten.
func (t *handles) put(h *handle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.users--; h.users > 0 || t.known[h.fh] != h { // or it was released meanwhile
		return
	}
	if !h.kept {
		t.forget(h)
		return
	}
	t.idle.Add(&h.place, h.owner, handleCost+cap(h.buffer))
	for t.idle.Size() > t.budget {
		t.forget(t.idle.Next().Value)
	}
}

// release forgets a handle that is closed.
func (t *handles) release(fh uint64) {
	t.store.Drop(fh)
	t.mu.Lock()
	defer t.mu.Unlock()
	if h := t.known[fh]; h != nil {
		t.forget(h)
	}
}

// forget takes a handle out of the table, and a small buffer of one that nobody
// uses for the next one. The caller holds t.mu.
func (t *handles) forget(h *handle) {
	delete(t.known, h.fh)
	t.idle.Remove(&h.place)
	if h.users == 0 && len(t.buffers) < maxSpareBuffers && cap(h.buffer) > 0 && cap(h.buffer) <= maxSpareBuffer {
		t.buffers = append(t.buffers, h.buffer[:0])
	}
}

// Buffers of forgotten handles: how many are kept, and up to which size.
const (
	maxSpareBuffers = 16
	maxSpareBuffer  = 64 << 10
)

// Bounds of those who wait for one open file that is being rendered.
const (
	maxWaiting      = 1
	waitingRoom     = 120
	waitingPatience = time.Second
)

// lock takes h.mu. When somebody waits for it already, and in vain, it answers
// EAGAIN: an open file that blocks costs its readers two workers, not all.
func (t *handles) lock(h *handle) error {
	if h.mu.TryLock() {
		return nil
	}
	if !t.waiting.Enter(h) {
		return syscall.EAGAIN
	}
	defer t.waiting.Leave(h)
	h.mu.Lock()
	return nil
}

// read copies the bytes at off into buf and returns how many. A read at offset
// 0 renders anew, as seq_file does; any other is served from the same bytes.
func (t *handles) read(h *handle, buf []byte, off uint64, render rendering) (int, error) {
	if err := t.lock(h); err != nil {
		return 0, err
	}
	defer h.mu.Unlock()
	if off != 0 && h.length != unknownLength && off >= h.length {
		return 0, nil
	}
	if off == 0 || h.content == nil {
		if err := t.fill(h, off, render); err != nil {
			return 0, err
		}
	}
	n := 0
	if off < uint64(len(h.content)) {
		n = copy(buf, h.content[off:])
	}
	if off == 0 {
		t.save(h, n)
	}
	return n, nil
}

// fill renders a handle. Bytes that a reader is in the middle of keep their
// length: if the new text is longer it is cut, so that the reader meets an end
// of file and not a torn tail.
func (t *handles) fill(h *handle, off uint64, render rendering) error {
	text, owner, err := render(h.buffer[:0])
	if err != nil {
		return err
	}
	h.buffer = text[:0]
	if off != 0 && h.length != unknownLength && uint64(len(text)) > h.length {
		text = text[:h.length]
	}
	if text == nil {
		text = []byte{}
	}
	h.content = text
	h.length = uint64(len(text))
	h.kept, h.owner = true, owner
	return nil
}

// save records a handle for a successor, with its bytes when the reader has
// had only the first n of them.
func (t *handles) save(h *handle, n int) {
	if h.opener != nil {
		return // the record says who it was
	}
	if n == len(h.content) {
		t.store.Save(h.fh, h.node, h.length, nil, h.owner)
		return
	}
	t.store.Save(h.fh, h.node, h.length, h.content, h.owner)
}
