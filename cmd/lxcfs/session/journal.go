package session

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The journal's layout, all numbers in the machine's own order:
//
//	0     frozen header, 40 bytes: the same in every version
//	64    this version's header
//	1024  raw INIT request, its length in its first 4 bytes; 0: none yet
//	2048  raw INIT answer, likewise
//	4096  one slotMeta per slot
//	...   slots, a fuse_in_header at the start of each; a length of 0 in it:
//	      nothing is owed
//	...   handle table: entries, then blocks of content
//
// Offsets are multiples of journalUnit on every machine, whatever its page size.
// Requests are read into the first readySlots slots. In the others some wait for
// their turn: those are a hole in the memfd until there is a backlog.
const (
	journalMagic   = 0x4c4e4a534643584c // "LXCFSJNL" on a little-endian machine
	journalVersion = 1

	initInOffset  = 1024
	initOutOffset = 2048
	initRoom      = 1024
	metaOffset    = 4096

	journalUnit = 4096    // bytes; part of the layout, no page size
	readySlots  = 256     // the first ones: whole in memory. In the others requests of any length wait
	maxSlots    = 1 << 16 // more is a corrupt header; later versions may have more than this one

	mlockOnFault = 1 // MLOCK_ONFAULT of include/uapi/asm-generic/mman-common.h
)

// frozen is the part of the journal that no version changes. With it any
// version can answer each owed request, if only with EIO.
type frozen struct {
	magic   uint64
	version uint32
	slots   uint32 // count
	stride  uint32 // bytes from slot to slot
	offset  uint32 // of slot 0
	epoch   uint32 // processes that served this connection so far
	initIn  uint32 // offset of the raw INIT request
	initOut uint32 // offset of the raw INIT answer
	_       uint32
}

const deathsKept = 8

// header is what this version adds.
type header struct {
	handles    uint64            // offset of the handle table
	deliberate uint32            // the last process meant to end: no death
	deaths     uint32            // count of all
	deathTimes [deathsKept]int64 // 0: it was killed
}

// slotMeta counts how often a request was dispatched. It belongs to the request
// whose unique it holds, and to none otherwise.
type slotMeta struct {
	unique     uint64
	dispatches uint32
	_          uint32
}

var errUnusable = errors.New("not a usable journal")

// journal is a mapped journal memfd. The slots belong to the workers, one each;
// the rest to the goroutine that runs Create, Restore or Init.
type journal struct {
	fd     int
	mem    []byte        // header, meta, slots: mapped, locked where there is memory
	backed []atomic.Bool // slots that have memory
	mapped []byte        // the pages that hold table
	table  []byte        // handle table
	locked error         // nil: mem is locked
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// createJournal makes an empty journal with that many slots, on a machine with
// pages of pageSize bytes.
func createJournal(slots, stride, pageSize int) (*journal, error) {
	fd, err := unix.MemfdCreate("lxcfs-journal", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // MFD_NOEXEC_SEAL: since 6.3
		fd, err = unix.MemfdCreate("lxcfs-journal", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, fmt.Errorf("memfd of the journal: %w", err)
	}
	offset := roundUp(metaOffset+slots*int(unsafe.Sizeof(slotMeta{})), journalUnit)
	handles := offset + slots*stride
	j := &journal{fd: fd}
	if err := j.format(offset, handles, slots, stride, pageSize); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("journal: %w", err)
	}
	return j, nil
}

func (j *journal) format(offset, handles, slots, stride, pageSize int) error {
	if err := unix.Ftruncate(j.fd, int64(handles+handlesSize)); err != nil {
		return err
	}
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(j.fd), unix.F_ADD_SEALS, seals); err != nil {
		return err
	}
	if err := j.mapAll(handles, pageSize); err != nil {
		return err
	}
	j.header().handles = uint64(handles)
	f := j.frozen()
	f.version, f.slots, f.stride, f.offset = journalVersion, uint32(slots), uint32(stride), uint32(offset)
	f.initIn, f.initOut = initInOffset, initOutOffset
	j.lock()
	atomic.StoreUint64(&f.magic, journalMagic) // last: before it this is no journal
	return nil
}

// mapAll maps the journal, whose handle table starts at handles. mmap(2) takes
// offsets that are multiples of the page size only, so the table is mapped from
// the start of the page that it starts in.
func (j *journal) mapAll(handles, pageSize int) error {
	mem, err := unix.Mmap(j.fd, 0, handles, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	before := handles % pageSize
	mapped, err := unix.Mmap(j.fd, int64(handles-before), before+handlesSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		unix.Munmap(mem)
		return fmt.Errorf("mmap: %w", err)
	}
	j.mem, j.mapped, j.table = mem, mapped, mapped[before:]
	return nil
}

// lock gives memory to the first slots and keeps it there: the kernel writes to them.
// It finds out which of the others have some: those are written by this process only.
// All would be more than the 8 MiB that a user may lock where nobody raised that.
func (j *journal) lock() {
	j.backed = make([]atomic.Bool, j.slots())
	first := min(j.slots(), readySlots)
	ready := j.mem[:j.start(first)]
	_, _, errno := unix.Syscall(unix.SYS_MLOCK2, uintptr(unsafe.Pointer(&ready[0])), uintptr(len(ready)), mlockOnFault)
	if errno != 0 { // since 4.4
		j.locked = fmt.Errorf("mlock2: %w", errno)
	}
	touch(ready)
	for i := range first {
		j.backed[i].Store(true)
	}
	for i := j.used(first); i < j.slots(); i = j.used(i + 1) {
		j.populate(i)
	}
}

// used returns the first slot from i on that has memory; slots() if there is none.
func (j *journal) used(i int) int {
	data, err := unix.Seek(j.fd, int64(j.start(i)), unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return j.slots()
	case err != nil:
		return i
	}
	return min((int(data)-int(j.frozen().offset))/int(j.frozen().stride), j.slots())
}

// dropCopies clears one of two slots that hold the same request: the process died
// while it moved it. It was not dispatched yet.
func (j *journal) dropCopies() {
	seen := make(map[uint64]bool)
	for i := range j.slots() {
		if !j.backed[i].Load() || headerOf(j.slot(i)).length == 0 {
			continue
		}
		unique := headerOf(j.slot(i)).unique
		if unique != 0 && seen[unique] {
			clearHeader(j.slot(i))
		}
		seen[unique] = true
	}
}

// populate gives memory to the beginning of slot i. A request that is longer and takes
// no answer (BATCH_FORGET) takes more when it is written there; release gives all of it
// back.
func (j *journal) populate(i int) {
	if !j.backed[i].Load() {
		j.backed[i].Store(true)
		touch(j.slot(i)[:journalUnit])
	}
}

// release gives back the memory of slots that hold nothing.
func (j *journal) release(slots []int) error {
	for _, i := range slots {
		if !j.backed[i].Load() {
			continue
		}
		if err := unix.Fallocate(j.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(j.start(i)), int64(j.frozen().stride)); err != nil {
			return fmt.Errorf("memory of the journal: %w", err)
		}
		j.backed[i].Store(false)
	}
	return nil
}

// touch has the kernel map all pages of b for writing; their content stays.
func touch(b []byte) {
	for i := 0; i < len(b); i += journalUnit {
		atomic.AddUint32((*uint32)(unsafe.Pointer(&b[i])), 0)
	}
}

// openJournal maps the journal of an earlier process. errUnusable is returned
// for one that this version cannot continue.
func openJournal(fd, pageSize int) (*journal, error) {
	f, size, err := peekFrozen(fd)
	if err != nil {
		return nil, err
	}
	if f.version != journalVersion || f.initIn != initInOffset || f.initOut != initOutOffset {
		return nil, fmt.Errorf("version %d: %w", f.version, errUnusable)
	}
	handles := int(f.offset) + int(f.slots)*int(f.stride)
	want := roundUp(metaOffset+int(f.slots)*int(unsafe.Sizeof(slotMeta{})), journalUnit)
	if int(f.offset) != want || f.stride < minReadBuffer || f.stride%journalUnit != 0 || handles+handlesSize != size {
		return nil, fmt.Errorf("%d slots of %d bytes at %d in %d: %w", f.slots, f.stride, f.offset, size, errUnusable)
	}
	j := &journal{fd: fd}
	if err := j.mapAll(handles, pageSize); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if j.header().handles != uint64(handles) {
		j.unmap()
		return nil, fmt.Errorf("handle table elsewhere: %w", errUnusable)
	}
	j.lock()
	j.dropCopies()
	return j, nil
}

// peekFrozen reads the frozen header of a journal of any version. It refuses
// one that could be cut short while it is mapped: that would be SIGBUS.
func peekFrozen(fd int) (frozen, int, error) {
	var f frozen
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return f, 0, fmt.Errorf("journal: %w: %w", errUnusable, err)
	}
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil || seals&unix.F_SEAL_SHRINK == 0 {
		return f, 0, fmt.Errorf("journal not sealed: %w", errUnusable)
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&f)), unsafe.Sizeof(f))
	if n, err := unix.Pread(fd, b, 0); err != nil || n != len(b) || f.magic != journalMagic {
		return f, 0, fmt.Errorf("journal without magic: %w", errUnusable)
	}
	end := uint64(f.offset) + uint64(f.slots)*uint64(f.stride)
	if f.slots == 0 || f.slots > maxSlots || f.stride < inHeaderSize || f.stride%8 != 0 || f.offset%8 != 0 || end > uint64(st.Size) {
		return f, 0, fmt.Errorf("journal with %d slots of %d bytes at %d: %w", f.slots, f.stride, f.offset, errUnusable)
	}
	return f, int(st.Size), nil
}

func (j *journal) unmap() error {
	return errors.Join(unix.Munmap(j.mem), unix.Munmap(j.mapped))
}

func (j *journal) frozen() *frozen { return (*frozen)(unsafe.Pointer(&j.mem[0])) }
func (j *journal) header() *header { return (*header)(unsafe.Pointer(&j.mem[64])) }
func (j *journal) slots() int      { return int(j.frozen().slots) }

// start returns the offset of slot i.
func (j *journal) start(i int) int { return int(j.frozen().offset) + i*int(j.frozen().stride) }

// slot returns the bytes of slot i.
func (j *journal) slot(i int) []byte {
	start, end := j.start(i), j.start(i+1)
	return j.mem[start:end:end]
}

func (j *journal) meta(i int) *slotMeta {
	return (*slotMeta)(unsafe.Pointer(&j.mem[metaOffset+i*int(unsafe.Sizeof(slotMeta{}))]))
}

// dispatches says how often the request in slot i was dispatched.
func (j *journal) dispatches(i int) uint32 {
	m := j.meta(i)
	if m.unique != headerOf(j.slot(i)).unique {
		return 0
	}
	return m.dispatches
}

// count adds a dispatch of the request in slot i, before it takes place.
func (j *journal) count(i int) {
	m, unique := j.meta(i), headerOf(j.slot(i)).unique
	if m.unique != unique {
		atomic.StoreUint32(&m.dispatches, 0)
		atomic.StoreUint64(&m.unique, unique)
	}
	atomic.StoreUint32(&m.dispatches, m.dispatches+1)
}

// forgive takes back the last dispatch of every owed request: the process that
// dispatched it ended on purpose.
func (j *journal) forgive() {
	for _, i := range j.owed() {
		if n := j.dispatches(i); n > 0 {
			atomic.StoreUint32(&j.meta(i).dispatches, n-1)
		}
	}
}

// owed returns the slots that the last process did not answer: those that were
// dispatched least often first, for the others are suspect, then the oldest.
func (j *journal) owed() []int {
	var owed []int
	for i := range j.slots() {
		if j.backed[i].Load() && headerOf(j.slot(i)).length != 0 {
			owed = append(owed, i)
		}
	}
	slices.SortFunc(owed, func(a, b int) int {
		if d := int(j.dispatches(a)) - int(j.dispatches(b)); d != 0 {
			return d
		}
		if headerOf(j.slot(a)).unique < headerOf(j.slot(b)).unique {
			return -1
		}
		return 1
	})
	return owed
}

// initRequest and initAnswer return the recorded messages, nil if there are
// none.
func (j *journal) initRequest() []byte {
	return plausibleInit(j.mem[initInOffset:initInOffset+initRoom], initInMin)
}

func (j *journal) initAnswer() []byte {
	return plausibleInit(j.mem[initOutOffset:initOutOffset+initRoom], initOutMin)
}

func plausibleInit(b []byte, least int) []byte {
	n := int(headerOf(b).length)
	if n < least || n > len(b) {
		return nil
	}
	return b[:n:n]
}

// record keeps a raw message at offset. Its length goes last: before it there
// is no message.
func (j *journal) record(offset int, msg []byte) {
	dst := j.mem[offset : offset+initRoom]
	n := min(len(msg), initRoom)
	copy(dst[4:], msg[4:n])
	atomic.StoreUint32(&headerOf(dst).length, uint32(n))
}

const (
	crashesTolerated = 3
	crashWindow      = 10 * time.Second
)

// noteDeath records that the last process died: of itself at about now
// (CLOCK_BOOTTIME), or because somebody killed it (0).
func (j *journal) noteDeath(now time.Duration) {
	h := j.header()
	h.deathTimes[h.deaths%deathsKept] = int64(now)
	atomic.StoreUint32(&h.deaths, h.deaths+1)
}

// degradedUntil returns the end of the time for which files are the host's: ten
// seconds after the last crash, if three fell into ten seconds; else 0. Deaths
// before the last eight are not known any more.
func (j *journal) degradedUntil() time.Duration {
	h := j.header()
	var last time.Duration
	crashes := 0
	for i := range min(h.deaths, deathsKept) {
		at := time.Duration(h.deathTimes[(h.deaths-1-i)%deathsKept])
		if at == 0 {
			continue
		}
		if crashes++; crashes == 1 {
			last = at
		}
		if crashes == crashesTolerated && last-at < crashWindow {
			return last + crashWindow
		}
	}
	return 0
}
