package session

import (
	"bytes"
	"sync/atomic"
	"unsafe"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Opcodes of include/uapi/linux/fuse.h that are handled here. go-fuse does not
// export them.
const (
	opForget      = 2
	opGetattr     = 3
	opInit        = 26
	opInterrupt   = 36
	opPoll        = 40
	opNotifyReply = 41
	opBatchForget = 42
)

const (
	inHeaderSize  = 40 // struct fuse_in_header
	outHeaderSize = 16 // struct fuse_out_header
	initInMin     = inHeaderSize + 16
	initOutMin    = outHeaderSize + 24 // FUSE_COMPAT_22_INIT_OUT_SIZE
	initOutSize   = outHeaderSize + int(unsafe.Sizeof(fuse.InitOut{}))

	// minReadBuffer is FUSE_MIN_READ_BUFFER: a shorter read(2) gets EINVAL.
	minReadBuffer = 8192

	// ghostName is a file that go-fuse makes up in the root directory; ghostNode
	// is its node id.
	ghostName = ".go-fuse-epoll-hack"
	ghostNode = ^uint64(0)

	notifyPoll       = 1 // FUSE_NOTIFY_POLL, since 2.6.29
	notifyInvalInode = 2 // FUSE_NOTIFY_INVAL_INODE, since 2.6.31
	notifyRetrieve   = 5 // FUSE_NOTIFY_RETRIEVE, since 2.6.36
	notifyResend     = 7 // FUSE_NOTIFY_RESEND, since 6.9
)

// inHeader is struct fuse_in_header up to what is needed here.
type inHeader struct {
	length uint32
	opcode uint32
	unique uint64
	node   uint64
	uid    uint32
	gid    uint32
	pid    uint32
	extra  uint32
}

// outHeader is struct fuse_out_header.
type outHeader struct {
	length uint32
	status int32
	unique uint64
}

// headerOf overlays the header of a request; b has at least inHeaderSize bytes.
func headerOf(b []byte) *inHeader { return (*inHeader)(unsafe.Pointer(unsafe.SliceData(b))) }

func outHeaderOf(b []byte) *outHeader { return (*outHeader)(unsafe.Pointer(unsafe.SliceData(b))) }

// clearHeader marks a slot as owed nothing. The length goes first: it alone
// decides.
func clearHeader(b []byte) {
	atomic.StoreUint32(&headerOf(b).length, 0)
	clear(b[:inHeaderSize])
}

// takesReply says whether the kernel waits for an answer to opcode.
func takesReply(opcode uint32) bool {
	return opcode != opForget && opcode != opBatchForget && opcode != opNotifyReply
}

// isGhost says whether a request means go-fuse's made-up file, which it would
// answer without asking the file system.
func isGhost(msg []byte) bool {
	h := headerOf(msg)
	if h.node == ghostNode {
		return true
	}
	return h.node == fuse.FUSE_ROOT_ID && bytes.Contains(msg[inHeaderSize:], []byte(ghostName))
}

// errorReply makes the answer that carries nothing but an error number.
func errorReply(dst []byte, unique uint64, errno unix.Errno) []byte {
	*outHeaderOf(dst) = outHeader{length: outHeaderSize, status: -int32(errno), unique: unique}
	return dst[:outHeaderSize]
}

// plausible says whether a slot's header is one that a kernel writes.
func (h *inHeader) plausible(stride int) bool {
	return h.length >= inHeaderSize && int(h.length) <= stride && h.opcode != 0 && h.opcode < 1<<16 && (h.unique != 0 || !takesReply(h.opcode))
}
