package session

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"linuxcontainers.org/lxcfs/cgroup/fair"
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
	owner   [16]byte // ownerSum of whose it is, if ownedFH is fh
	ownedFH uint64   // an earlier version leaves this and owner as they were
	_       [32]byte
}

// ownerSum stands for an owner, whose name may be longer than an entry has room for.
func ownerSum(name string) [16]byte {
	sum := sha256.Sum256([]byte(name))
	return [16]byte(sum[:])
}

// ownerKey returns the owner's name in ledgers: "" for all that earlier versions wrote.
func (e *handleEntry) ownerKey() string {
	if e.ownedFH != e.fh {
		return ""
	}
	return string(e.owner[:])
}

// Handles is the table of open handles, which outlives the process. When it is
// full, the owner who has the most in it loses the handle that was used longest
// ago; and so with the blocks of content. Whose an entry is, is in it: an owner
// keeps his share when the process dies. Any goroutine may use it.
type Handles struct {
	epoch uint32
	mem   []byte

	mu       sync.Mutex // guards all below and mem
	stamp    uint64
	byFH     map[uint64]int
	free     []int            // entries
	blocks   []uint16         // free blocks
	marks    int              // entries that are marks
	entries  fair.Ledger[int] // all but marks
	contents fair.Ledger[int] // those with content, by blocks
	recency  []fair.Item[int] // of entries, by index
	filled   []fair.Item[int] // of contents
}

// openHandles reads the table that mem holds; zeroes are an empty one.
func openHandles(mem []byte, epoch uint32) *Handles {
	h := &Handles{
		epoch: epoch, mem: mem, byFH: make(map[uint64]int),
		recency: make([]fair.Item[int], maxHandles), filled: make([]fair.Item[int], maxHandles),
	}
	var valid []int
	for i := range maxHandles {
		h.recency[i].Value, h.filled[i].Value = i, i
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
			h.entry(old).stamp = 0
			h.free = append(h.free, old)
		}
		h.byFH[e.fh] = i
		h.stamp = e.stamp
	}
	for _, i := range valid {
		e := h.entry(i)
		switch {
		case e.stamp == 0:
			continue
		case e.fh&markBit == 0:
		case h.marks == maxMarks: // more than anybody writes
			e.content = 0
			h.drop(i)
			continue
		default:
			h.marks++
		}
		if slices.ContainsFunc(e.held(), func(b uint16) bool { return int(b) >= blockCount || used[b] }) {
			e.content = 0
		}
		for _, b := range e.held() {
			used[b] = true
		}
		h.account(i)
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

// account notes whose entry i is, and its content. A mark is nobody's.
func (h *Handles) account(i int) {
	e := h.entry(i)
	if e.fh&markBit != 0 {
		return
	}
	owner := e.ownerKey()
	h.entries.Add(&h.recency[i], owner, 1)
	if n := len(e.held()); n > 0 {
		h.contents.Add(&h.filled[i], owner, n)
	}
}

// Epoch numbers this process among all that served the connection, from 1.
func (h *Handles) Epoch() uint32 { return h.epoch }

// Save records a handle of an owner's: its node id, the length rendered, and the
// content, unless it is nil or longer than [MaxContent]. A handle saved before is
// replaced; a process that dies meanwhile leaves one of the two.
func (h *Handles) Save(fh, node, length uint64, content []byte, owner string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.take()
	e := h.entry(i)
	e.fh, e.node, e.length, e.owner, e.ownedFH = fh, node, length, ownerSum(owner), fh
	h.fill(e, content)
	h.stamp++
	atomic.StoreUint64(&e.stamp, h.stamp) // last: from here on it counts
	if old, ok := h.byFH[fh]; ok {
		h.drop(old)
	}
	h.byFH[fh] = i
	h.account(i)
}

// take returns an unused entry.
func (h *Handles) take() int {
	if len(h.free) == 0 {
		h.drop(h.entries.Next().Value)
	}
	i := h.free[len(h.free)-1]
	h.free = h.free[:len(h.free)-1]
	return i
}

// fill copies content into blocks of e. If they run out others lose theirs.
func (h *Handles) fill(e *handleEntry, content []byte) {
	e.content, e.size = 0, 0
	if content == nil || len(content) > MaxContent {
		return
	}
	need := (len(content) + blockSize - 1) / blockSize
	for len(h.blocks) < need {
		next := h.contents.Next()
		if next == nil {
			return
		}
		h.strip(next.Value)
	}
	for k := range need {
		b := h.blocks[len(h.blocks)-1]
		h.blocks = h.blocks[:len(h.blocks)-1]
		e.blocks[k] = b
		copy(h.block(b), content[k*blockSize:])
	}
	e.size, e.content = uint32(len(content)), 1
}

// strip takes the content of entry i.
func (h *Handles) strip(i int) {
	e := h.entry(i)
	held := e.held()
	atomic.StoreUint32(&e.content, 0)
	for _, b := range held {
		h.give(b)
	}
	h.contents.Remove(&h.filled[i])
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
	h.strip(i)
	if h.byFH[e.fh] == i {
		delete(h.byFH, e.fh)
	}
	h.entries.Remove(&h.recency[i])
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
	h.entries.Use(&h.recency[i])
	h.contents.Use(&h.filled[i])
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
	h.Save(fh|markBit, 0, uint64(len(record)), record, "")
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
