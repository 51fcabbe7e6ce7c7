package session

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// A file is read whole whatever the block, and no request of it is the kernel's.
func TestRehearse(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	s, _ := k.start(Config{}, f)
	for _, block := range []int{1, 512, 4096, 65536, 131072, 262144, 1 << 20} {
		for name, node := range map[string]uint64{"small": nodeSmall, "big": nodeBig} {
			got, err := s.Rehearse(t.Context(), "/"+name, 1, block)
			if err != nil || !bytes.Equal(got, testContent(node)) {
				t.Errorf("%s in blocks of %d: got %d bytes, %v, want %d", name, block, len(got), err, len(testContent(node)))
			}
		}
	}
	if n := s.Stats().Requests; n != 0 {
		t.Errorf("%d requests are counted, want none", n)
	}
	if _, err := s.Rehearse(t.Context(), "/none", 1, 1); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a file that is not there: got %v, want ENOENT", err)
	}
	if _, err := s.Rehearse(t.Context(), "/panic", 1, 4096); !errors.Is(err, unix.EIO) || !strings.Contains(err.Error(), "READ of 4096 bytes at 0") {
		t.Errorf("a file that panics: got %v, want EIO", err)
	}
}

// spoilt is a file system that answers a READ wrongly.
type spoilt struct {
	*testFS
	read func(in *fuse.ReadIn, right []byte) []byte
}

func (f spoilt) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	result, status := f.testFS.Read(cancel, in, buf)
	right, _ := result.Bytes(buf)
	return fuse.ReadResultData(f.read(in, right)), status
}

// The kernel of a machine with pages of 16 KiB asks for 512 KiB where 32 pages were
// agreed on; a buffer for 32 pages of 4 KiB has no room for the answer. That was
// EIO in each read of 256 KiB and more, and nobody looked.
func TestRehearseFindsWhatFails(t *testing.T) {
	moving := byte(0)
	for _, tt := range []struct {
		name        string
		page, block int
		read        func(in *fuse.ReadIn, right []byte) []byte // nil: right
		want        string                                     // "": no error
	}{
		{"pages of 4 KiB", 4096, 1 << 20, nil, ""},
		{"pages of 16 KiB, small block", 16384, 65536, nil, ""},
		{"pages of 16 KiB", 16384, 1 << 20, nil, "READ of 524288 bytes at 0"},
		{"other bytes at another offset", 4096, 65536, func(in *fuse.ReadIn, right []byte) []byte {
			if in.Offset == 1 {
				return right[1:]
			}
			return right
		}, "not those read before"},
		{"other bytes each time", 4096, 65536, func(in *fuse.ReadIn, right []byte) []byte {
			moving++
			return bytes.Repeat([]byte{moving}, len(right))
		}, "not those read before"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newFakeKernel(t)
			f := spoilt{newTestFS(), tt.read}
			if f.read == nil {
				f.read = func(_ *fuse.ReadIn, right []byte) []byte { return right }
			}
			s, err := Create(k.dup(), Config{})
			if err != nil {
				t.Fatal(err)
			}
			k.greet()
			if err := s.Init(f); err != nil {
				t.Fatal(err)
			}
			k.wantAnswer(2, 0)
			s.outSize = (32 + 1) * 4096 // what was wrong, however it is reckoned now
			serve(t, s)
			_, err = s.rehearse(t.Context(), "/small", 1, tt.block, tt.page)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
