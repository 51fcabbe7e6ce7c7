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

func (s *memoryStore) Save(fh, node, length uint64, content []byte, _ string) {
	s.records[fh] = record{node, length, bytes.Clone(content)}
}

func (s *memoryStore) Load(fh uint64) (uint64, uint64, []byte, bool) {
	r, ok := s.records[fh]
	return r.node, r.length, r.content, ok
}

func (s *memoryStore) Drop(fh uint64) { delete(s.records, fh) }

// counting renders n bytes of the number of its calls.
type counting struct {
	calls int
	sizes []int // length of each rendering; the last one repeats
	owner string
}

func (c *counting) render(dst []byte) ([]byte, string, error) {
	size := c.sizes[min(c.calls, len(c.sizes)-1)]
	c.calls++
	return append(dst, bytes.Repeat([]byte{byte('0' + c.calls%10)}, size)...), c.owner, nil
}

// testNode is that of all handles here.
const testNode = 7

// read reads through a handle and returns the text.
func read(t *testing.T, table *handles, fh uint64, c *counting, off uint64, size int) string {
	t.Helper()
	h := table.get(fh, testNode)
	if h == nil {
		t.Fatalf("no handle %#x", fh)
	}
	defer table.put(h)
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
			h := table.create()
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
	a, b := table.create(), table.create()
	c := &counting{sizes: []int{4}}
	for _, s := range []struct {
		h    uint64
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
			func(s *memoryStore, fh uint64) { s.Save(fh, 7, 6, nil, "") }},
		{"record lost: rendered anew", 2, []int{6, 9}, 2, "2222222",
			func(s *memoryStore, fh uint64) { s.Drop(fh) }},
		{"record of another length: not trusted", 2, []int{6, 9}, 2, "2222",
			func(s *memoryStore, fh uint64) { s.Save(fh, 7, 6, []byte("xx"), "") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := newMemoryStore()
			c := &counting{sizes: tt.sizes}
			first := newHandles(store)
			h := first.create()
			read(t, first, h, c, 0, tt.first)
			if tt.mangle != nil {
				tt.mangle(store, h)
			}
			store.epoch = 2
			second := newHandles(store)
			if got := read(t, second, h, c, tt.off, 99); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// An old handle must never be taken for a new one: neither by number nor by node.
func TestHandleNumbers(t *testing.T) {
	store := newMemoryStore()
	first := newHandles(store)
	old := first.create()
	c := &counting{sizes: []int{3}}
	read(t, first, old, c, 0, 1)
	store.epoch = 2
	second := newHandles(store)
	if fh := second.create(); fh == old {
		t.Errorf("handle %#x given twice", fh)
	}
	if h := second.get(old, 8); h != nil {
		t.Errorf("handle of node 7 given for node 8: %+v", h)
	}
	if h := second.get(old, 7); h == nil {
		t.Error("handle of node 7 not found again")
	}
}

// No number is given twice, though 2^32 files are opened, nor one that an earlier
// version or another process gave.
func TestHandleNumbersAreMany(t *testing.T) {
	table := newHandles(newMemoryStore())
	seen := make(map[uint64]string)
	for _, epoch := range []uint32{1, 2, 1<<epochBits - 1} {
		table.store.(*memoryStore).epoch = epoch
		for _, opened := range []uint64{0, 1, 1<<32 - 1, 1 << 32, 1<<32 + 1, 1 << 40} {
			table.last.Store(opened)
			fh, what := table.create(), fmt.Sprintf("epoch %d after %d", epoch, opened)
			if other, ok := seen[fh]; ok {
				t.Errorf("%s: %#x, as of %s", what, fh, other)
			}
			if seen[fh] = what; fh>>62 != 1 {
				t.Errorf("%s: %#x, want bit 62 alone of the upper two", what, fh)
			}
		}
	}
}

// Of open files that nobody reads nothing is kept, nor of one of which the store
// says all there is.
func TestIdleHandles(t *testing.T) {
	store := newMemoryStore()
	first := newHandles(store)
	for range 1000 {
		first.create()
	}
	if len(first.known) != 0 || len(store.records) != 0 {
		t.Errorf("%d handles and %d records of files that nobody reads", len(first.known), len(store.records))
	}
	c := &counting{sizes: []int{6}}
	fh := first.create()
	read(t, first, fh, c, 0, 2)
	second := newHandles(store)
	for _, off := range []uint64{2, 4} {
		if got := read(t, second, fh, c, off, 2); got != "11" {
			t.Errorf("at %d: got %q, want %q", off, got, "11")
		}
	}
	if len(second.known) != 0 || len(first.known) != 1 {
		t.Errorf("%d handles known where it was read on, want 0; %d where it was rendered, want 1", len(second.known), len(first.known))
	}
	unread := first.create()
	first.put(first.get(unread, testNode))
	if len(first.known) != 1 {
		t.Error("a handle is kept that only a trigger was written to")
	}
}

// What is kept is bounded, and who has the most loses the oldest of it.
func TestHandleBudget(t *testing.T) {
	table := newHandles(newMemoryStore())
	table.budget = 20 * handleCost
	var c = counting{sizes: []int{1000}, owner: "victim"}
	victim := table.create()
	read(t, table, victim, &c, 0, 10)
	other := counting{sizes: []int{1000}, owner: "other"}
	var open []uint64
	for range 100 {
		open = append(open, table.create())
		read(t, table, open[len(open)-1], &other, 0, 10)
	}
	if table.idle.Size() > table.budget {
		t.Errorf("%d bytes kept, budget %d", table.idle.Size(), table.budget)
	}
	if got := read(t, table, victim, &c, 995, 10); got != "11111" || c.calls != 1 {
		t.Errorf("got %q after %d renderings, want what was rendered first: the other took it", got, c.calls)
	}
	if got := read(t, table, open[0], &other, 995, 10); len(got) != 5 {
		t.Errorf("evicted handle: got %q, want 5 bytes", got)
	}
	for _, fh := range append(open, victim) {
		table.release(fh)
	}
	if table.idle.Size() != 0 || len(table.known) != 0 {
		t.Errorf("left after release: %d bytes, %d handles", table.idle.Size(), len(table.known))
	}
}

// A handle that is closed while it is read is kept no more, nor is its buffer
// given to another before its reader has done.
func TestHandleReleasedUnderItsReader(t *testing.T) {
	table := newHandles(newMemoryStore())
	fh := table.create()
	h := table.get(fh, testNode)
	c := &counting{sizes: []int{3}}
	if n, err := table.read(h, make([]byte, 9), 0, c.render); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	table.release(fh)
	if len(table.buffers) != 0 {
		t.Error("its buffer is given away")
	}
	table.put(h)
	if len(table.known) != 0 || table.idle.Size() != 0 {
		t.Errorf("%d handles, %d bytes are kept", len(table.known), table.idle.Size())
	}
}

func TestHandleRenderError(t *testing.T) {
	table := newHandles(newMemoryStore())
	fh := table.create()
	want := errors.New("broken")
	h := table.get(fh, testNode)
	_, err := table.read(h, make([]byte, 9), 0, func(dst []byte) ([]byte, string, error) { return dst, "", want })
	table.put(h)
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	c := &counting{sizes: []int{3}}
	if got := read(t, table, fh, c, 0, 9); got != "111" {
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
				fh := table.create()
				h := table.get(fh, uint64(i))
				buf := make([]byte, 512)
				n, err := table.read(h, buf, 0, func(dst []byte) ([]byte, string, error) {
					return append(dst, bytes.Repeat([]byte{byte(i)}, 700)...), fmt.Sprint(i % 3), nil
				})
				table.put(h)
				if err == nil && (n != 512 || bytes.ContainsFunc(buf, func(r rune) bool { return r != rune(i) })) {
					err = fmt.Errorf("handle of %d: bytes of another", i)
				}
				if err != nil {
					done <- err
					return
				}
				if i%2 == 0 {
					table.release(fh)
				}
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
func (discard) Save(uint64, uint64, uint64, []byte, string)  {}
func (discard) Load(uint64) (n, l uint64, c []byte, ok bool) { return }
func (discard) Drop(uint64)                                  {}

// One reader waits for an open file whose rendering blocks; the next is sent
// away, for each that waits takes a worker from everybody.
func TestHandleThatBlocks(t *testing.T) {
	t.Parallel()
	table := newHandles(newMemoryStore())
	fh := table.create()
	started, release := make(chan struct{}, 3), make(chan struct{})
	read := func() error {
		h := table.get(fh, testNode)
		defer table.put(h)
		_, err := table.read(h, make([]byte, 10), 0, func(dst []byte) ([]byte, string, error) {
			started <- struct{}{}
			<-release
			return append(dst, "text\n"...), "", nil
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
