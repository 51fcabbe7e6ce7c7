package session

import (
	"unsafe"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// What cat(1) asks for, of include/uapi/linux/fuse.h.
const (
	opLookup  = 1
	opOpen    = 14
	opRead    = 15
	opRelease = 18
)

// argument overlays what an opcode takes, header and all; nil when the message
// is not as long as that, which go-fuse has to judge.
func argument[T any](msg []byte) *T {
	var t T
	if len(msg) != int(unsafe.Sizeof(t)) {
		return nil
	}
	return (*T)(unsafe.Pointer(unsafe.SliceData(msg)))
}

// hot asks the file system for what cat(1) is made of: OPEN, READ, RELEASE. It
// answers in out and returns the answer, nil for any other request and for one
// that is odd. go-fuse would do the same; but it makes a kilobyte of garbage for
// each request, and a collection each second keeps readers waiting.
func (s *Session) hot(msg, out []byte) []byte {
	switch h := headerOf(msg); h.opcode {
	case opOpen:
		if in := argument[fuse.OpenIn](msg); in != nil {
			return s.hotOpen(in, out)
		}
	case opRead:
		if in := argument[fuse.ReadIn](msg); in != nil && int64(in.Size) <= int64(len(out)-outHeaderSize) {
			return s.hotRead(in, out)
		}
	case opRelease:
		if in := argument[fuse.ReleaseIn](msg); in != nil {
			s.fs.Release(nil, in)
			return finished(out, h.unique, fuse.OK, 0)
		}
	}
	return nil
}

func (s *Session) hotOpen(in *fuse.OpenIn, out []byte) []byte {
	opened := (*fuse.OpenOut)(unsafe.Pointer(&out[outHeaderSize]))
	*opened = fuse.OpenOut{}
	return finished(out, in.Unique, s.fs.Open(nil, in, opened), int(unsafe.Sizeof(*opened)))
}

func (s *Session) hotRead(in *fuse.ReadIn, out []byte) []byte {
	room := out[outHeaderSize:][:in.Size]
	result, status := s.fs.Read(nil, in, room)
	n := 0
	if status.Ok() && result != nil {
		var body []byte
		if body, status = result.Bytes(room); status.Ok() {
			n = copy(room, body)
		}
		result.Done()
	}
	return finished(out, in.Unique, status, n)
}

// finished makes an answer of n bytes, which are there already, or of an error.
func finished(out []byte, unique uint64, status fuse.Status, n int) []byte {
	if !status.Ok() {
		return errorReply(out, unique, unix.Errno(status))
	}
	n += outHeaderSize
	*outHeaderOf(out) = outHeader{length: uint32(n), unique: unique}
	return out[:n]
}
