package session

import (
	"bytes"
	"fmt"
	"testing"
)

// What one owner saves is forgotten for another one's only down to an equal
// share, and so is the content of it, also when the process dies in between.
func TestHandlesOfOwners(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int // of each content that the other saves, bytes
	}{
		{"entries run out", 100},
		{"blocks run out", 3 * blockSize},
		{"neither has room for a content", MaxContent + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mem := make([]byte, handlesSize)
			h := openHandles(mem, 1)
			const mine = 20
			content := func(fh uint64) []byte { return bytes.Repeat(fmt.Append(nil, fh), 3000) }
			for fh := range uint64(mine) {
				h.Save(fh, 5, 1<<20, content(fh), "mine")
			}
			flood := func(h *Handles, first uint64) {
				for fh := range uint64(10_000) {
					h.Save(first+fh, 6, 1<<20, make([]byte, tt.size), "other")
				}
			}
			flood(h, 1000)
			check := func(name string, table *Handles) {
				t.Helper()
				for fh := range uint64(mine) {
					if node, _, got, ok := table.Load(fh); !ok || node != 5 || !bytes.Equal(got, content(fh)) {
						t.Fatalf("%s: handle %d: found %v, node %d, %d bytes of content; want 5, %d", name, fh, ok, node, len(got), len(content(fh)))
					}
				}
				if _, _, _, ok := table.Load(1000); ok {
					t.Errorf("%s: the other's oldest is found: there was room for all, and nothing was tested", name)
				}
			}
			check("this process", h)
			check("the next", openHandles(mem, 2))
			next := openHandles(mem, 2)
			flood(next, 20_000)
			check("the next, flooded too", next)
		})
	}
}

// An earlier version that uses an entry again leaves in it whose it was.
func TestHandlesOfEarlierVersions(t *testing.T) {
	h := openHandles(make([]byte, handlesSize), 1)
	h.Save(7, 5, 1, []byte("a"), "mine")
	sum := ownerSum("mine")
	e := h.entry(h.byFH[7])
	if got := e.ownerKey(); got != string(sum[:]) {
		t.Errorf("got owner %x, want that of mine", got)
	}
	e.fh = 99 // as its Save does
	if got := e.ownerKey(); got != "" {
		t.Errorf("got owner %x of a handle that an earlier version saved, want none", got)
	}
}

// A table with more marks than anybody writes keeps those that there is room for,
// and takes handles on.
func TestTooManyMarks(t *testing.T) {
	mem := make([]byte, handlesSize)
	h := openHandles(mem, 1)
	for i := range maxHandles {
		h.entry(i).fh, h.entry(i).stamp = markBit|uint64(i), uint64(i+1)
	}
	h = openHandles(mem, 2)
	h.Save(7, 5, 2, []byte("ab"), "owner")
	if _, _, content, ok := h.Load(7); !ok || string(content) != "ab" || len(h.Marks()) != maxMarks {
		t.Errorf("found %v, %q, %d marks; want ab, %d", ok, content, len(h.Marks()), maxMarks)
	}
}
