package fs

import (
	"container/list"
	"sync"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/fs/gate"
)

// Store keeps open handles across processes; package session's Handles is one.
type Store interface {
	// Epoch numbers this process among all that served the connection.
	Epoch() uint32
	// Save records a handle: its node id, the length rendered, and the bytes
	// unless the reader has had them all (nil).
	Save(fh, node, length uint64, content []byte)
	// Load returns what Save recorded, in this process or in an earlier one.
	Load(fh uint64) (node, length uint64, content []byte, ok bool)
	// Drop forgets a handle.
	Drop(fh uint64)
}

// maxContent bounds the bytes kept for all open handles of a connection. The
// handles read longest ago lose theirs first, and are rendered again, cut to
// the length that their reader knows, when they are read on.
const maxContent = 32 << 20

// unknownLength is the length of a handle that was never rendered.
const unknownLength = ^uint64(0)

// handle is one open file. mu guards everything below it; it is held while the
// file is rendered, so reads of one open file are served one after the other.
type handle struct {
	fh, node uint64
	opener   *uint32 // of one opened for writing, see openedBy; does not change
	writable bool    // opened for writing, as far as this process knows; does not change

	mu      sync.Mutex
	length  uint64 // bytes that the reader was told of; unknownLength
	content []byte // nil when evicted
	buffer  []byte // storage that the next rendering appends to
	element *list.Element
	charged int // bytes accounted in handles.bytes
}

// handles is the table of open files. mu guards the map, the list and bytes,
// and is taken after a handle's own mu, never before it (eviction only tries).
type handles struct {
	store   Store
	waiting *gate.Gate[*handle]

	mu      sync.Mutex
	open    map[uint64]*handle
	next    uint32
	recent  *list.List // handles with content, latest first
	bytes   int
	budget  int
	buffers [][]byte // storage of released handles
}

func newHandles(store Store) *handles {
	return &handles{store: store, open: make(map[uint64]*handle), recent: list.New(), budget: maxContent,
		waiting: gate.New[*handle](maxWaiting, waitingRoom, waitingPatience)}
}

// create opens a handle on a node.
func (t *handles) create(node uint64) *handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	h := &handle{fh: uint64(t.store.Epoch())<<32 | uint64(t.next), node: node, length: unknownLength}
	if n := len(t.buffers); n > 0 {
		h.buffer, t.buffers = t.buffers[n-1], t.buffers[:n-1]
	}
	t.open[h.fh] = h
	return h
}

// get returns the handle fh of a node: an open one, one that an earlier process
// opened, or, when its record is gone, a new one under the old number. It
// returns nil when the number belongs to another node.
func (t *handles) get(fh, node uint64) *handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.open[fh]
	if h == nil {
		h = t.restore(fh, node)
		t.open[fh] = h
	}
	if h.node != node {
		return nil
	}
	return h
}

func (t *handles) restore(fh, node uint64) *handle {
	h := &handle{fh: fh, node: node, length: unknownLength}
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

// release forgets a handle and keeps a small buffer of it for the next one.
func (t *handles) release(fh uint64) {
	t.mu.Lock()
	h := t.open[fh]
	delete(t.open, fh)
	t.mu.Unlock()
	t.store.Drop(fh)
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.discharge(h)
	if len(t.buffers) < maxSpareBuffers && cap(h.buffer) > 0 && cap(h.buffer) <= maxSpareBuffer {
		t.buffers = append(t.buffers, h.buffer[:0])
	}
	h.buffer, h.content = nil, nil
}

// Buffers of released handles: how many are kept, and up to which size.
const (
	maxSpareBuffers = 16
	maxSpareBuffer  = 64 << 10
)

// charge accounts a handle's content as just used and evicts others over the
// budget. The caller holds h.mu.
func (t *handles) charge(h *handle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.discharge(h)
	h.charged = cap(h.buffer)
	t.bytes += h.charged
	h.element = t.recent.PushFront(h)
	for e := t.recent.Back(); e != nil && t.bytes > t.budget; {
		old := e.Value.(*handle)
		e = e.Prev()
		if old == h || !old.mu.TryLock() {
			continue
		}
		t.discharge(old)
		old.content, old.buffer = nil, nil
		old.mu.Unlock()
	}
}

// discharge takes a handle out of the account. The caller holds t.mu and h.mu.
func (t *handles) discharge(h *handle) {
	if h.element != nil {
		t.recent.Remove(h.element)
		h.element = nil
	}
	t.bytes -= h.charged
	h.charged = 0
}

// read copies the bytes at off into buf and returns how many. A read at offset
// 0 renders anew, as seq_file does; any other is served from the same bytes.
func (t *handles) read(h *handle, buf []byte, off uint64, render func(dst []byte) ([]byte, error)) (int, error) {
	if err := t.lock(h); err != nil {
		return 0, err
	}
	defer h.mu.Unlock()
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
func (t *handles) fill(h *handle, off uint64, render func(dst []byte) ([]byte, error)) error {
	text, err := render(h.buffer[:0])
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
	t.charge(h)
	return nil
}

// save records a handle for a successor, with its bytes when the reader has
// had only the first n of them.
func (t *handles) save(h *handle, n int) {
	if h.opener != nil {
		return // the record says who it was
	}
	if n == len(h.content) {
		t.store.Save(h.fh, h.node, h.length, nil)
		return
	}
	t.store.Save(h.fh, h.node, h.length, h.content)
}
