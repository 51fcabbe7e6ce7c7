package session

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

const (
	maxHandles  = 4096
	blockSize   = 4096
	blockCount  = 1024 // 4 MiB of content in all
	blocksOfOne = 16
	// MaxContent is how much of one handle's content is kept, in bytes. Of a
	// longer one only the length is: its bytes are rendered anew.
	MaxContent = blocksOfOne * blockSize

	entrySize   = int(unsafe.Sizeof(handleEntry{}))
	handlesSize = maxHandles*entrySize + blockCount*blockSize
)

// handleEntry is one open handle. It counts if stamp is not 0; if a process
// died between writing a new entry and dropping the old one, the higher stamp
// counts.
type handleEntry struct {
	stamp   uint64
	fh      uint64
	node    uint64
	length  uint64
	size    uint32 // bytes of content
	content uint32 // 1: content is kept
	blocks  [blocksOfOne]uint16
	_       [56]byte
}

// Handles is the table of open handles, which outlives the process. When it is
// full, the handle that was used longest ago is forgotten. Any goroutine may use
// it.
type Handles struct {
	epoch uint32
	mem   []byte

	mu     sync.Mutex // guards all below and mem
	stamp  uint64
	byFH   map[uint64]int
	free   []int    // entries
	blocks []uint16 // free blocks
	marks  int      // entries that are marks
	newer  []int    // doubly linked list by use; [maxHandles] is its anchor
	older  []int
}

// openHandles reads the table that mem holds; zeroes are an empty one.
func openHandles(mem []byte, epoch uint32) *Handles {
	h := &Handles{
		epoch: epoch, mem: mem, byFH: make(map[uint64]int),
		newer: make([]int, maxHandles+1), older: make([]int, maxHandles+1),
	}
	h.newer[maxHandles], h.older[maxHandles] = maxHandles, maxHandles
	var valid []int
	for i := range maxHandles {
		if h.entry(i).stamp != 0 {
			valid = append(valid, i)
		} else {
			h.free = append(h.free, i)
		}
	}
	slices.SortFunc(valid, func(a, b int) int { return cmp.Compare(h.entry(a).stamp, h.entry(b).stamp) })
	h.adopt(valid)
	return h
}

// adopt takes over entries of an earlier process, the oldest first: of two for
// the same handle the newer one stays.
func (h *Handles) adopt(valid []int) {
	used := make([]bool, blockCount)
	for _, i := range valid {
		e := h.entry(i)
		if old, ok := h.byFH[e.fh]; ok {
			h.unlink(old)
			h.entry(old).stamp = 0
			h.free = append(h.free, old)
		}
		h.byFH[e.fh] = i
		h.link(i)
		h.stamp = e.stamp
	}
	for fh, i := range h.byFH {
		if fh&markBit != 0 {
			h.marks++
		}
		e := h.entry(i)
		if slices.ContainsFunc(e.held(), func(b uint16) bool { return int(b) >= blockCount || used[b] }) {
			e.content = 0
		}
		for _, b := range e.held() {
			used[b] = true
		}
	}
	for b, taken := range used {
		if !taken {
			h.give(uint16(b))
		}
	}
}

func (h *Handles) entry(i int) *handleEntry {
	return (*handleEntry)(unsafe.Pointer(&h.mem[i*entrySize]))
}

func (h *Handles) block(b uint16) []byte {
	start := maxHandles*entrySize + int(b)*blockSize
	return h.mem[start : start+blockSize]
}

// held returns the numbers of the blocks of e.
func (e *handleEntry) held() []uint16 {
	if e.content == 0 {
		return nil
	}
	return e.blocks[:min((int(e.size)+blockSize-1)/blockSize, blocksOfOne)]
}

// unlink takes entry i out of the order of use.
func (h *Handles) unlink(i int) {
	h.newer[h.older[i]], h.older[h.newer[i]] = h.newer[i], h.older[i]
}

// link makes entry i, which is not in the order of use, the one used last.
func (h *Handles) link(i int) {
	last := h.older[maxHandles]
	h.older[i], h.newer[i] = last, maxHandles
	h.newer[last], h.older[maxHandles] = i, i
}

// Epoch numbers this process among all that served the connection, from 1.
func (h *Handles) Epoch() uint32 { return h.epoch }

// Save records a handle: its node id, the length rendered, and the content,
// unless it is nil or longer than [MaxContent]. A handle saved before is
// replaced; a process that dies meanwhile leaves one of the two.
func (h *Handles) Save(fh, node, length uint64, content []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.take()
	e := h.entry(i)
	e.fh, e.node, e.length = fh, node, length
	h.fill(e, content)
	h.stamp++
	atomic.StoreUint64(&e.stamp, h.stamp) // last: from here on it counts
	if old, ok := h.byFH[fh]; ok {
		h.drop(old)
	}
	h.byFH[fh] = i
	h.link(i)
}

// take returns an unused entry.
func (h *Handles) take() int {
	if len(h.free) == 0 {
		i := h.newer[maxHandles]
		for h.marked(i) {
			i = h.newer[i]
		}
		h.drop(i)
	}
	i := h.free[len(h.free)-1]
	h.free = h.free[:len(h.free)-1]
	return i
}

// fill copies content into blocks of e. If they run out the oldest handles
// lose theirs.
func (h *Handles) fill(e *handleEntry, content []byte) {
	e.content, e.size = 0, 0
	if content == nil || len(content) > MaxContent {
		return
	}
	need := (len(content) + blockSize - 1) / blockSize
	for i := h.newer[maxHandles]; len(h.blocks) < need && i != maxHandles; i = h.newer[i] {
		if !h.marked(i) {
			h.strip(h.entry(i))
		}
	}
	if len(h.blocks) < need {
		return
	}
	for k := range need {
		b := h.blocks[len(h.blocks)-1]
		h.blocks = h.blocks[:len(h.blocks)-1]
		e.blocks[k] = b
		copy(h.block(b), content[k*blockSize:])
	}
	e.size, e.content = uint32(len(content)), 1
}

// strip takes the content of e.
func (h *Handles) strip(e *handleEntry) {
	held := e.held()
	atomic.StoreUint32(&e.content, 0)
	for _, b := range held {
		h.give(b)
	}
}

// give makes a block one that content can go to.
func (h *Handles) give(b uint16) {
	if b != crashBlock {
		h.blocks = append(h.blocks, b)
	}
}

// drop frees entry i.
func (h *Handles) drop(i int) {
	e := h.entry(i)
	atomic.StoreUint64(&e.stamp, 0)
	h.strip(e)
	if h.byFH[e.fh] == i {
		delete(h.byFH, e.fh)
	}
	h.unlink(i)
	h.free = append(h.free, i)
}

// Load returns what Save recorded, in this process or an earlier one. The
// content is a copy; nil if none was kept.
func (h *Handles) Load(fh uint64) (node, length uint64, content []byte, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, ok := h.byFH[fh]
	if !ok {
		return 0, 0, nil, false
	}
	e := h.entry(i)
	if e.content != 0 {
		content = make([]byte, 0, e.size)
		for _, b := range e.held() {
			content = append(content, h.block(b)[:min(blockSize, int(e.size)-len(content))]...)
		}
	}
	h.unlink(i)
	h.link(i)
	return e.node, e.length, content, true
}

// Drop forgets a handle.
func (h *Handles) Drop(fh uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i, ok := h.byFH[fh]; ok {
		h.drop(i)
	}
}

// Marks are records about handles that are never forgotten for want of room:
// that of the handle fh is kept in an entry of the number fh|markBit, which no
// handle has, for epochs have 31 bits.
const (
	markBit  = 1 << 63
	maxMarks = 256 // of maxHandles entries and blockCount blocks
)

func (h *Handles) marked(i int) bool { return h.entry(i).fh&markBit != 0 }

// Mark keeps a record about a handle, in place of the last one; at most a block
// long. It returns false when there is no room.
func (h *Handles) Mark(fh uint64, record []byte) bool {
	h.mu.Lock()
	_, again := h.byFH[fh|markBit]
	full := len(record) > blockSize || !again && h.marks >= maxMarks
	if !full && !again {
		h.marks++
	}
	h.mu.Unlock()
	if full {
		return false
	}
	h.Save(fh|markBit, 0, uint64(len(record)), record)
	return true
}

// Unmark forgets the record.
func (h *Handles) Unmark(fh uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i, ok := h.byFH[fh|markBit]; ok {
		h.drop(i)
		h.marks--
	}
}

// Marks returns all records by handle.
func (h *Handles) Marks() map[uint64][]byte {
	h.mu.Lock()
	var handles []uint64
	for fh := range h.byFH {
		if fh&markBit != 0 {
			handles = append(handles, fh)
		}
	}
	h.mu.Unlock()
	marks := make(map[uint64][]byte)
	for _, fh := range handles {
		if _, _, record, ok := h.Load(fh); ok {
			marks[fh&^markBit] = record
		}
	}
	return marks
}
