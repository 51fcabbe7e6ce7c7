package fs

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"
	"testing"
)

// memoryStore is a Store that a second table can be opened on, as a successor
// process opens the journal.
type memoryStore struct {
	epoch   uint32
	records map[uint64]record
}

type record struct {
	node, length uint64
	content      []byte
}

func newMemoryStore() *memoryStore {
	return &memoryStore{epoch: 1, records: make(map[uint64]record)}
}

func (s *memoryStore) Epoch() uint32 { return s.epoch }

func (s *memoryStore) Save(fh, node, length uint64, content []byte) {
	s.records[fh] = record{node, length, bytes.Clone(content)}
}

func (s *memoryStore) Load(fh uint64) (uint64, uint64, []byte, bool) {
	r, ok := s.records[fh]
	return r.node, r.length, r.content, ok
}

func (s *memoryStore) Drop(fh uint64) { delete(s.records, fh) }

// counting renders "<calls>:" and then n bytes of its number.
type counting struct {
	calls int
	sizes []int // length of each rendering; the last one repeats
}

func (c *counting) render(dst []byte) ([]byte, error) {
	size := c.sizes[min(c.calls, len(c.sizes)-1)]
	c.calls++
	return append(dst, bytes.Repeat([]byte{byte('0' + c.calls%10)}, size)...), nil
}

// read reads through a handle and returns the text.
func read(t *testing.T, table *handles, h *handle, c *counting, off uint64, size int) string {
	t.Helper()
	buf := make([]byte, size)
	n, err := table.read(h, buf, off, c.render)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestHandleReads(t *testing.T) {
	type step struct {
		off  uint64
		size int
		want string
	}
	for _, tt := range []struct {
		name  string
		sizes []int
		steps []step
		calls int
	}{
		{"whole, then end of file", []int{5}, []step{{0, 9, "11111"}, {5, 9, ""}}, 1},
		{"one byte at a time", []int{3}, []step{{0, 1, "1"}, {1, 1, "1"}, {2, 1, "1"}, {3, 1, ""}}, 1},
		{"past the end", []int{3}, []step{{0, 9, "111"}, {1 << 40, 9, ""}}, 1},
		{"offset without a read at 0", []int{4}, []step{{2, 9, "11"}}, 1},
		{"rewound: rendered anew", []int{3, 6}, []step{{0, 9, "111"}, {0, 9, "222222"}, {3, 9, "222"}}, 2},
		{"pread after rewind", []int{3, 3}, []step{{0, 1, "1"}, {2, 1, "1"}, {0, 1, "2"}, {2, 1, "2"}}, 2},
		{"empty", []int{0}, []step{{0, 9, ""}, {0, 9, ""}}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := newHandles(newMemoryStore())
			h := table.create(7)
			c := &counting{sizes: tt.sizes}
			for i, s := range tt.steps {
				if got := read(t, table, h, c, s.off, s.size); got != s.want {
					t.Errorf("step %d: got %q, want %q", i, got, s.want)
				}
			}
			if c.calls != tt.calls {
				t.Errorf("rendered %d times, want %d", c.calls, tt.calls)
			}
		})
	}
}

func TestHandlesInterleaved(t *testing.T) {
	table := newHandles(newMemoryStore())
	a, b := table.create(7), table.create(7)
	c := &counting{sizes: []int{4}}
	for _, s := range []struct {
		h    *handle
		off  uint64
		want string
	}{{a, 0, "11"}, {b, 0, "22"}, {a, 2, "11"}, {b, 2, "22"}} {
		if got := read(t, table, s.h, c, s.off, 2); got != s.want {
			t.Errorf("got %q, want %q", got, s.want)
		}
	}
}

func TestHandleOfEarlierProcess(t *testing.T) {
	for _, tt := range []struct {
		name   string
		first  int    // bytes read in the first process
		sizes  []int  // renderings
		off    uint64 // where the second process reads on
		want   string
		mangle func(*memoryStore, uint64)
	}{
		{"in the middle: the same bytes", 2, []int{6, 9}, 2, "1111", nil},
		{"all read: end of file, not a torn tail", 9, []int{6, 9}, 6, "", nil},
		{"bytes lost: rendered anew, cut to the length", 2, []int{6, 9}, 2, "2222",
			func(s *memoryStore, fh uint64) { s.Save(fh, 7, 6, nil) }},
		{"record lost: rendered anew", 2, []int{6, 9}, 2, "2222222",
			func(s *memoryStore, fh uint64) { s.Drop(fh) }},
		{"record of another length: not trusted", 2, []int{6, 9}, 2, "2222",
			func(s *memoryStore, fh uint64) { s.Save(fh, 7, 6, []byte("xx")) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newMemoryStore()
			c := &counting{sizes: tt.sizes}
			first := newHandles(store)
			h := first.create(7)
			read(t, first, h, c, 0, tt.first)
			if tt.mangle != nil {
				tt.mangle(store, h.fh)
			}
			store.epoch = 2
			second := newHandles(store)
			if got := read(t, second, second.get(h.fh, 7), c, tt.off, 99); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// An old handle must never be taken for a new one: neither by number nor by node.
func TestHandleNumbers(t *testing.T) {
	store := newMemoryStore()
	first := newHandles(store)
	old := first.create(7)
	c := &counting{sizes: []int{3}}
	read(t, first, old, c, 0, 1)
	store.epoch = 2
	second := newHandles(store)
	if h := second.create(8); h.fh == old.fh {
		t.Errorf("handle %#x given twice", h.fh)
	}
	if h := second.get(old.fh, 8); h != nil {
		t.Errorf("handle of node 7 given for node 8: %+v", h)
	}
	if h := second.get(old.fh, 7); h == nil {
		t.Error("handle of node 7 not found again")
	}
}

func TestHandleBudget(t *testing.T) {
	table := newHandles(newMemoryStore())
	table.budget = 10_000
	c := &counting{sizes: []int{1000}}
	var open []*handle
	for range 100 {
		h := table.create(7)
		read(t, table, h, c, 0, 10)
		open = append(open, h)
	}
	if table.bytes > table.budget+2000 {
		t.Errorf("%d bytes kept, budget %d", table.bytes, table.budget)
	}
	if got := read(t, table, open[0], c, 995, 10); len(got) != 5 {
		t.Errorf("evicted handle: got %q, want 5 bytes", got)
	}
	for _, h := range open {
		table.release(h.fh)
	}
	if table.bytes != 0 || len(table.open) != 0 || table.recent.Len() != 0 {
		t.Errorf("left after release: %d bytes, %d handles, %d in the list", table.bytes, len(table.open), table.recent.Len())
	}
}

func TestHandleRenderError(t *testing.T) {
	table := newHandles(newMemoryStore())
	h := table.create(7)
	want := errors.New("broken")
	_, err := table.read(h, make([]byte, 9), 0, func(dst []byte) ([]byte, error) { return dst, want })
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	c := &counting{sizes: []int{3}}
	if got := read(t, table, h, c, 0, 9); got != "111" {
		t.Errorf("after an error: got %q", got)
	}
}

func TestHandlesConcurrently(t *testing.T) {
	table := newHandles(newMemoryStore())
	table.store = discard{}
	table.budget = 4096
	done := make(chan error)
	for i := range 8 {
		go func() {
			for range 200 {
				h := table.create(uint64(i))
				buf := make([]byte, 512)
				n, err := table.read(h, buf, 0, func(dst []byte) ([]byte, error) {
					return append(dst, bytes.Repeat([]byte{byte(i)}, 700)...), nil
				})
				if err == nil && (n != 512 || bytes.ContainsFunc(buf, func(r rune) bool { return r != rune(i) })) {
					err = fmt.Errorf("handle of %d: bytes of another", i)
				}
				if err != nil {
					done <- err
					return
				}
				table.release(h.fh)
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// discard is a Store that remembers nothing.
type discard struct{}

func (discard) Epoch() uint32                                { return 1 }
func (discard) Save(uint64, uint64, uint64, []byte)          {}
func (discard) Load(uint64) (n, l uint64, c []byte, ok bool) { return }
func (discard) Drop(uint64)                                  {}

// One reader waits for an open file whose rendering blocks; the next is sent
// away, for each that waits takes a worker from everybody.
func TestHandleThatBlocks(t *testing.T) {
	t.Parallel()
	table := newHandles(newMemoryStore())
	h := table.create(1)
	started, release := make(chan struct{}, 3), make(chan struct{})
	read := func() error {
		_, err := table.read(h, make([]byte, 10), 0, func(dst []byte) ([]byte, error) {
			started <- struct{}{}
			<-release
			return append(dst, "text\n"...), nil
		})
		return err
	}
	results := make(chan error, 3)
	go func() { results <- read() }()
	<-started
	for range 2 {
		go func() { results <- read() }()
	}
	if err := <-results; err != syscall.EAGAIN {
		t.Errorf("one reader too many: %v, want EAGAIN", err)
	}
	close(release)
	for range 2 {
		if err := <-results; err != nil {
			t.Errorf("a reader who waited: %v", err)
		}
	}
	if err := read(); err != nil {
		t.Errorf("a reader afterwards: %v", err)
	}
}
