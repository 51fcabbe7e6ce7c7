package session

import (
	"bytes"
	"fmt"
	"testing"
	"unsafe"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// pageSizes of the machines that Linux runs on.
func pageSizes() []int { return []int{4 << 10, 16 << 10, 64 << 10} }

// On a machine of any page size a READ carries MinRead bytes and no more than
// was agreed on, and the next process goes on with the journal, the request that
// is owed and the handles.
func TestPageSizes(t *testing.T) {
	for _, size := range pageSizes() {
		t.Run(fmt.Sprintf("%d KiB", size>>10), func(t *testing.T) {
			cfg := Config{PageSize: size}
			k := newFakeKernel(t)
			j := k.crashed(cfg, request(opRead, 10, nodeHuge, readBody(MinRead)))
			edit(t, j, func(j *journal) { openHandles(j.table, 7).Save(sampleFH, sampleNode, 3, []byte("abc"), "owner") })
			s := k.restore(j, cfg, newTestFS())
			if start := uintptr(unsafe.Pointer(&s.journal.table[0])) - uintptr(unsafe.Pointer(&s.journal.mapped[0])); s.journal.header().handles%uint64(size) != uint64(start) {
				t.Errorf("the handle table is mapped %d bytes before its start, at %d: mmap(2) takes multiples of %d", start, s.journal.header().handles, size)
			}
			if out := s.InitAnswer(); int(out.MaxPages)*size != MinRead {
				t.Errorf("got %d pages of %d bytes for a READ, want %d bytes", out.MaxPages, size, MinRead)
			}
			serve(t, s)
			if unique, status, body := k.answer(); unique != 10 || status != 0 || !bytes.Equal(body, testContent(nodeHuge)[:MinRead]) {
				t.Errorf("got answer to %d with %d, %d bytes; want 10, 0, %d", unique, status, len(body), MinRead)
			}
			if node, length, content, ok := s.Handles().Load(sampleFH); !ok || node != sampleNode || length != 3 || string(content) != "abc" {
				t.Errorf("handle: got %d, %d, %q, %v", node, length, content, ok)
			}
		})
	}
}

// A reply buffer holds what was agreed on, or what the kernel takes when nothing
// was.
func TestReplySize(t *testing.T) {
	agreed := func(pages uint16, flags uint32) []byte {
		return append(make([]byte, outHeaderSize), bytesOf(&fuse.InitOut{MaxPages: pages, Flags: flags})...)
	}
	for _, size := range pageSizes() {
		cfg := Config{PageSize: size}
		cfg.complete()
		for _, tt := range []struct {
			name   string
			answer []byte
			want   int
		}{
			{"agreed", agreed(5, fuse.CAP_MAX_PAGES), 5 * size},
			{"an answer of 0 is a page", agreed(0, fuse.CAP_MAX_PAGES), size},
			{"before max_pages", agreed(5, 0), 32 * size},
			{"unknown", nil, 32 * size},
		} {
			if got := cfg.replySize(tt.answer) - size; got != tt.want {
				t.Errorf("pages of %d bytes, %s: got %d bytes, want %d", size, tt.name, got, tt.want)
			}
		}
	}
}

// The journal's layout is the same on every machine, whatever its page size.
func TestJournalOfOtherPageSize(t *testing.T) {
	var layouts []frozen
	for _, size := range pageSizes() {
		j, err := createJournal(MinSlots, minReadBuffer, size)
		if err != nil {
			t.Fatal(err)
		}
		layouts = append(layouts, *j.frozen())
		j.slot(1)[0] = 42
		if err := j.unmap(); err != nil {
			t.Error(err)
		}
		for _, other := range pageSizes() {
			again, err := openJournal(j.fd, other)
			if err != nil {
				t.Errorf("made with pages of %d bytes, opened with %d: %v", size, other, err)
				continue
			}
			if again.slot(1)[0] != 42 {
				t.Errorf("made with pages of %d bytes, opened with %d: a slot lost its content", size, other)
			}
			again.unmap()
		}
		unix.Close(j.fd)
	}
	if layouts[0] != layouts[1] || layouts[1] != layouts[2] {
		t.Errorf("layouts differ: %+v", layouts)
	}
}
