package session

import (
	"bytes"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// picky is testFS with an answer of each kind.
type picky struct{ *testFS }

func (p picky) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if in.Flags&unix.O_WRONLY != 0 {
		return fuse.EACCES
	}
	out.Fh, out.OpenFlags = in.NodeId<<32|7, fuse.FOPEN_DIRECT_IO|fuse.FOPEN_NOFLUSH
	return fuse.OK
}

func (p picky) Read(c <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	if in.Fh == 13 {
		return nil, fuse.EBADF
	}
	result, status := p.testFS.Read(c, in, buf)
	if in.Fh != 0 { // into the reader's buffer at once
		body, _ := result.Bytes(buf)
		result = fuse.ReadResultData(buf[:copy(buf, body)])
	}
	return result, status
}

// dirty is a reply buffer with a request's remains.
func dirty() []byte { return bytes.Repeat([]byte{0xa5}, outHeaderSize+1<<17) }

func body[T any](v T) []byte { return bytesOf(&v)[inHeaderSize:] }

// What hot answers is what go-fuse answers, byte for byte.
func TestHot(t *testing.T) {
	k := newFakeKernel(t)
	s, _ := k.start(Config{}, picky{newTestFS()})
	for _, tt := range []struct {
		name string
		msg  []byte
	}{
		{"open", request(opOpen, 10, nodeSmall, body(fuse.OpenIn{}))},
		{"open of a resent request", request(opOpen, 1<<63|10, nodeSmall, body(fuse.OpenIn{}))},
		{"open refused", request(opOpen, 12, nodeSmall, body(fuse.OpenIn{Flags: unix.O_WRONLY}))},
		{"read", request(opRead, 14, nodeSmall, body(fuse.ReadIn{Size: 1 << 16}))},
		{"read in place", request(opRead, 14, nodeSmall, body(fuse.ReadIn{Fh: 1, Size: 1 << 16}))},
		{"read of a part", request(opRead, 16, nodeBig, body(fuse.ReadIn{Fh: 1, Offset: 1000, Size: 77}))},
		{"read at the end", request(opRead, 18, nodeSmall, body(fuse.ReadIn{Offset: 1 << 20, Size: 1 << 16}))},
		{"read of nothing", request(opRead, 20, nodeSmall, body(fuse.ReadIn{}))},
		{"read refused", request(opRead, 22, nodeSmall, body(fuse.ReadIn{Fh: 13, Size: 1 << 16}))},
		{"release", request(opRelease, 24, nodeSmall, body(fuse.ReleaseIn{}))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := dirty()
			n, status := s.ps.HandleRequest([][]byte{tt.msg}, [][]byte{want})
			if n < outHeaderSize {
				t.Fatalf("go-fuse: %d bytes, %v", n, status)
			}
			if got := s.hot(tt.msg, dirty()); !bytes.Equal(got, want[:n]) {
				t.Errorf("got %d bytes %.80q, want %d bytes %.80q", len(got), got, n, want[:n])
			}
		})
	}
}

// What is odd, and all else, is left to go-fuse.
func TestNotHot(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	s, _ := k.start(Config{}, f)
	room := outHeaderSize + 1<<17
	for name, msg := range map[string][]byte{
		"getattr":                             request(opGetattr, 10, nodeSmall, make([]byte, 16)),
		"open short":                          request(opOpen, 10, nodeSmall, body(fuse.OpenIn{})[1:]),
		"read long":                           request(opRead, 10, nodeSmall, append(readBody(100), 0)),
		"read short":                          request(opRead, 10, nodeSmall, readBody(100)[8:]),
		"read of more than there is room for": request(opRead, 10, nodeSmall, readBody(uint32(room-outHeaderSize+1))),
		"read of all that can be asked for":   request(opRead, 10, nodeSmall, readBody(^uint32(0))),
		"release short":                       request(opRelease, 10, nodeSmall, nil),
	} {
		if got := s.hot(msg, dirty()); got != nil {
			t.Errorf("%s: got %d bytes", name, len(got))
		}
	}
	if n := f.requests.Load(); n != 0 {
		t.Errorf("got %d requests of the file system, want none", n)
	}
}

// constant reads the same at once.
type constant struct{ *testFS }

func (constant) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	return fuse.ReadResultData(buf[:min(100-min(in.Offset, 100), uint64(len(buf)))]), fuse.OK
}

// BenchmarkRequests measures what is around the file system in a cat(1): OPEN,
// READ, READ at the end, RELEASE.
func BenchmarkRequests(b *testing.B) {
	var s Session
	s.fs = constant{newTestFS()}
	s.ps = s.newProtocolServer(s.fs)
	out := dirty()
	requests := [][]byte{
		request(opOpen, 10, nodeSmall, body(fuse.OpenIn{})),
		request(opRead, 12, nodeSmall, readBody(1<<16)),
		request(opRead, 14, nodeSmall, body(fuse.ReadIn{Offset: 100, Size: 1 << 16})),
		request(opRelease, 16, nodeSmall, body(fuse.ReleaseIn{})),
	}
	for name, ask := range map[string]func([]byte){
		"hot":     func(msg []byte) { s.hot(msg, out) },
		"go-fuse": func(msg []byte) { s.ps.HandleRequest([][]byte{msg}, [][]byte{out}) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, msg := range requests {
					ask(msg)
				}
			}
		})
	}
}
