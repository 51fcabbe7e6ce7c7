package ways

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// iocb is struct iocb of include/uapi/linux/aio_abi.h, of which a read needs no
// more; its opcode, IOCB_CMD_PREAD, is 0.
type iocb struct {
	_      [20]byte // data, key, flags, opcode, priority
	fd     uint32
	buf    uint64
	size   uint64
	offset int64
	_      [16]byte
}

// ioEvent is struct io_event.
type ioEvent struct {
	_      [16]byte
	result int64
	_      [8]byte
}

// aio reads by io_submit(2).
func aio(f *os.File) (reader, error) {
	var context uintptr
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(&context)), 0); errno != 0 {
		return nil, fmt.Errorf("io_setup: %w", errno)
	}
	return func(buf []byte, off int64) (int, error) {
		if buf == nil {
			unix.Syscall(unix.SYS_IO_DESTROY, context, 0, 0)
			return 0, nil
		}
		request := &iocb{fd: uint32(f.Fd()), buf: address(buf), size: uint64(len(buf)), offset: off}
		requests := [1]*iocb{request}
		if _, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, context, 1, uintptr(unsafe.Pointer(&requests))); errno != 0 {
			return 0, fmt.Errorf("io_submit: %w", errno)
		}
		var event ioEvent
		for {
			_, _, errno := unix.Syscall6(unix.SYS_IO_GETEVENTS, context, 1, 1, uintptr(unsafe.Pointer(&event)), 0, 0)
			switch {
			case errno == unix.EINTR:
				continue
			case errno != 0:
				return 0, fmt.Errorf("io_getevents: %w", errno)
			}
			return result(event.result)
		}
	}, nil
}

func address(buf []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(buf)))) }

// result turns a kernel's result into an error.
func result(n int64) (int, error) {
	if n < 0 {
		return 0, unix.Errno(-n)
	}
	return int(n), nil
}

// What io_uring needs of include/uapi/linux/io_uring.h.
const (
	offSubmission  = 0          // IORING_OFF_SQ_RING
	offEntries     = 0x10000000 // IORING_OFF_SQES
	enterGetEvents = 1          // IORING_ENTER_GETEVENTS
	opRead         = 22         // IORING_OP_READ, since 5.6
)

// ringParams is struct io_uring_params.
type ringParams struct {
	submissions, completions, flags, cpu, idle, features, workers uint32
	reserved                                                      [3]uint32
	submission                                                    struct {
		head, tail, mask, entries, flags, dropped, array, reserved uint32
		user                                                       uint64
	}
	completion struct {
		head, tail, mask, entries, overflow, events, flags, reserved uint32
		user                                                         uint64
	}
}

// submission is struct io_uring_sqe, completion struct io_uring_cqe.
type submission struct {
	opcode, flags uint8
	priority      uint16
	fd            int32
	offset        uint64
	buf           uint64
	size          uint32
	rwFlags       uint32
	data          uint64
	_             [24]byte
}

type completion struct {
	data   uint64
	result int32
	flags  uint32
}

// uring is an io_uring of one entry. Both rings are in one mapping, since 5.4.
type uring struct {
	fd             int
	rings, entries []byte
	params         ringParams
}

// ring reads by io_uring(7), each piece at an offset of its own.
func ring(f *os.File) (reader, error) {
	r, err := newRing()
	if err != nil {
		return nil, err
	}
	return func(buf []byte, off int64) (int, error) {
		if buf == nil {
			return 0, r.close()
		}
		return r.read(int(f.Fd()), buf, off)
	}, nil
}

func newRing() (*uring, error) {
	r := new(uring)
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&r.params)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup: %w", errno)
	}
	r.fd = int(fd)
	p := &r.params
	size := max(p.submission.array+4*p.submissions, p.completion.events+uint32(unsafe.Sizeof(completion{}))*p.completions)
	var err error
	if r.rings, err = r.mmap(offSubmission, int(size)); err == nil {
		r.entries, err = r.mmap(offEntries, int(unsafe.Sizeof(submission{})))
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("map an io_uring: %w", err)
	}
	return r, nil
}

func (r *uring) mmap(offset int64, size int) ([]byte, error) {
	return unix.Mmap(r.fd, offset, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
}

func (r *uring) close() error {
	if r.rings != nil {
		unix.Munmap(r.rings)
	}
	if r.entries != nil {
		unix.Munmap(r.entries)
	}
	return unix.Close(r.fd)
}

// word is a number in the rings.
func (r *uring) word(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.rings[offset])) }

// read submits one READ and waits for it.
func (r *uring) read(fd int, buf []byte, off int64) (int, error) {
	sq, cq := &r.params.submission, &r.params.completion
	*(*submission)(unsafe.Pointer(&r.entries[0])) = submission{
		opcode: opRead, fd: int32(fd), offset: uint64(off), buf: address(buf), size: uint32(len(buf)),
	}
	tail := atomic.LoadUint32(r.word(sq.tail))
	*r.word(sq.array + 4*(tail&*r.word(sq.mask))) = 0
	atomic.StoreUint32(r.word(sq.tail), tail+1)
	head := atomic.LoadUint32(r.word(cq.head))
	for submit := uintptr(1); atomic.LoadUint32(r.word(cq.tail)) == head; submit = 0 {
		_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), submit, 1, enterGetEvents, 0, 0)
		if errno != 0 && errno != unix.EINTR {
			return 0, fmt.Errorf("io_uring_enter: %w", errno)
		}
	}
	at := cq.events + (head&*r.word(cq.mask))*uint32(unsafe.Sizeof(completion{}))
	n := (*completion)(unsafe.Pointer(&r.rings[at])).result
	atomic.StoreUint32(r.word(cq.head), head+1)
	return result(int64(n))
}
