package session

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Threads of fakeKernel's callers, and whose they are.
const (
	tidOfMany = 1
	tidOfOne  = 2
)

func testOwner(tid uint32) string { return [...]string{"", "many", "one"}[tid] }

// sendAs asks for a node's attributes on behalf of a thread.
func (k *fakeKernel) sendAs(tid uint32, unique, node uint64) {
	msg := request(opGetattr, unique, node, make([]byte, 16))
	headerOf(msg).pid = tid
	if _, err := unix.Write(k.fd, msg); err != nil {
		k.t.Error("send:", err)
	}
}

// prepare makes a session that does not serve yet.
func (k *fakeKernel) prepare(cfg Config, f *testFS) *Session {
	k.t.Helper()
	s, err := Create(k.dup(), cfg)
	if err != nil {
		k.t.Fatal(err)
	}
	k.greet()
	if err := s.Init(f); err != nil {
		k.t.Fatal(err)
	}
	k.wantAnswer(2, 0)
	return s
}

// TestWaitersTakeNoWorkers: what an owner has too much of waits in the journal, and
// those of another owner, which come after it, don't.
func TestWaitersTakeNoWorkers(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	s := k.prepare(Config{Waiting: 1000, Owner: testOwner}, f)
	const many = 300
	serve(t, s)
	for i := range uint64(many) {
		k.sendAs(tidOfMany, 10+2*i, nodeHeld)
	}
	eventually(t, "as many handled as may be", func() bool { return f.held.Load() >= MinSlots/4 })
	for i := range uint64(30) {
		k.sendAs(tidOfOne, 7001+2*i, 1)
		k.wantAnswer(7001+2*i, 0)
	}
	eventually(t, "those that wait, and no others, are owed", func() bool { return len(s.journal.owed()) == many })
	if n, most := s.Stats().Workers, MinSlots/4+smallBacklog+2; n > most {
		t.Errorf("got %d workers, want %d at most", n, most)
	}
	close(f.release)
	for range many {
		k.answer()
	}
	eventually(t, "nothing owed", func() bool { return len(s.journal.owed()) == 0 })
}

// TestLateOnesCount: requests that come one by one, so that there is no backlog, and
// take long are counted too: their owner has no more than its share of the workers.
func TestLateOnesCount(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	s := k.prepare(Config{Waiting: 1000, Owner: testOwner}, f)
	serve(t, s)
	const most, more = MinSlots / 4, 3 * MinSlots
	late := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		if a := s.queues.byOwner["many"]; a != nil {
			return a.busy
		}
		return 0
	}
	for i := range uint64(most + more) {
		k.sendAs(tidOfMany, 10+2*i, nodeHeld)
		if i < most {
			eventually(t, "it counts", func() bool { return late() == int(i+1) })
		}
	}
	eventually(t, "all read", func() bool { return len(s.journal.owed()) == most+more })
	k.sendAs(tidOfOne, 7001, 1)
	k.wantAnswer(7001, 0)
	if n := f.held.Load(); n != most {
		t.Errorf("got %d handled, want %d: the rest waits for its turn", n, most)
	}
	close(f.release)
	for range most + more {
		k.answer()
	}
	eventually(t, "none counted", func() bool { return late() == 0 })
}

// TestNewestIsLookedAtFirst: who asks last does not wait for a look at all those
// before, each of which takes long.
func TestNewestIsLookedAtFirst(t *testing.T) {
	k := newFakeKernel(t)
	var looks atomic.Int64
	owner := func(tid uint32) string {
		if tid == tidOfMany {
			looks.Add(1)
			time.Sleep(2 * sorting)
		}
		return testOwner(tid)
	}
	s := k.prepare(Config{Waiting: 1000, Owner: owner}, newTestFS())
	const many = 200
	for i := range uint64(many) {
		k.sendAs(tidOfMany, 10+2*i, 1)
	}
	k.sendAs(tidOfOne, 7001, 1)
	serve(t, s)
	for range many + 1 {
		if unique, _, _ := k.answer(); unique != 7001 {
			continue
		}
		if n := looks.Load(); n > many/4 {
			t.Errorf("got %d looks at others before, want a few", n)
		}
	}
}

// TestCollectorHandlesNothing: who reads requests for others is not taken for one
// that handles the last of them for long, for that would never be over.
func TestCollectorHandlesNothing(t *testing.T) {
	k := newFakeKernel(t)
	s := k.prepare(Config{Owner: testOwner}, newTestFS())
	s.freeAllBut(nil)
	w, err := s.newWorker()
	if err != nil {
		t.Fatal(err)
	}
	k.sendAs(tidOfMany, 10, 1)
	if !s.collect(w) || s.queues.waiting != 1 {
		t.Fatalf("got %d requests that wait, want 1", s.queues.waiting)
	}
	if since := w.since.Load(); since != 0 {
		t.Errorf("the worker handles a request since %d", since)
	}
}

// TestLongWaiters: requests longer than a page, which any reader can send by
// ioctl(2), wait in the journal as well and not in the slots that are read to.
// Their owner, whose share of the workers is blocked, keeps nobody else waiting.
func TestLongWaiters(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	s := k.prepare(Config{Waiting: 1000, Owner: testOwner}, f)
	serve(t, s)
	const blocked, long = MinSlots / 4, 2 * readySlots
	for i := range uint64(blocked + smallBacklog) {
		k.sendAs(tidOfMany, 10+2*i, nodeHeld)
	}
	eventually(t, "as many handled as may be", func() bool { return f.held.Load() >= blocked })
	for i := range uint64(long) {
		msg := request(opGetattr, 2001+2*i, nodeHeld, make([]byte, 8000))
		headerOf(msg).pid = tidOfMany
		if _, err := unix.Write(k.fd, msg); err != nil {
			t.Fatal("send:", err)
		}
	}
	k.sendAs(tidOfOne, 7001, 1)
	k.wantAnswer(7001, 0)
	eventually(t, "all others are owed", func() bool { return len(s.journal.owed()) == blocked+smallBacklog+long })
	close(f.release)
	for range blocked + smallBacklog + long {
		if _, status, _ := k.answer(); status != 0 {
			t.Fatalf("got status %d, want 0", status)
		}
	}
}

// TestLongWaitersAreCut: of a long request that waits no more is kept than
// journalUnit bytes. What ends with a NUL still does: symlink(2), which takes 4 KiB,
// gets the file system's own answer, ENOSYS here.
func TestLongWaitersAreCut(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	s := k.prepare(Config{Waiting: 1000, Owner: testOwner}, f)
	memory := func() int64 {
		var st unix.Stat_t
		if err := unix.Fstat(s.journal.fd, &st); err != nil {
			t.Fatal(err)
		}
		return st.Blocks * 512
	}
	before := memory()
	serve(t, s)
	const opSymlink, blocked, long = 6, MinSlots / 4, 2 * readySlots
	for i := range uint64(blocked + smallBacklog) {
		k.sendAs(tidOfMany, 10+2*i, nodeHeld)
	}
	eventually(t, "as many handled as may be", func() bool { return f.held.Load() >= blocked })
	for i := range uint64(long) {
		body := append([]byte("name\x00"), bytes.Repeat([]byte{'x'}, 7000)...)
		msg := request(opSymlink, 2001+2*i, nodeHeld, append(body, 0))
		headerOf(msg).pid = tidOfMany
		if _, err := unix.Write(k.fd, msg); err != nil {
			t.Fatal("send:", err)
		}
	}
	eventually(t, "all are owed", func() bool { return len(s.journal.owed()) == blocked+smallBacklog+long })
	if got, most := memory()-before, int64(blocked+smallBacklog+long)*int64(max(journalUnit, os.Getpagesize())); got > most {
		t.Errorf("got %d bytes of memory, want %d at most", got, most)
	}
	close(f.release)
	for range blocked + smallBacklog + long {
		if unique, status, _ := k.answer(); unique > 2000 && unix.Errno(-status) != unix.ENOSYS {
			t.Fatalf("got status %d for symlink(2), want ENOSYS", status)
		}
	}
}

// TestJam: one owner's share of the workers is blocked, and its requests fill all
// slots: the oldest are refused, and another owner is answered.
func TestJam(t *testing.T) {
	k := newFakeKernel(t)
	f := newTestFS()
	const slots = MinSlots + 1000
	s := k.prepare(Config{Waiting: 1000, Owner: testOwner}, f)
	serve(t, s)
	for i := range uint64(slots) {
		k.sendAs(tidOfMany, 10+2*i, nodeHeld)
	}
	refused := 0
	for i := range uint64(100) {
		k.sendAs(tidOfOne, 7001+2*i, 1)
		for {
			unique, status, _ := k.answer()
			if unique == 7001+2*i && status == 0 {
				break
			}
			if unix.Errno(-status) != unix.EBUSY {
				t.Fatalf("got status %d for request %d, want EBUSY", status, unique)
			}
			refused++
		}
	}
	if refused == 0 || refused > 2*relieved {
		t.Errorf("got %d refused, want some, and %d at most", refused, 2*relieved)
	}
	if err := s.SelfCheck(time.Second); err != nil {
		t.Errorf("got %v from the check of itself", err)
	}
	close(f.release)
	for range slots - refused {
		if _, status, _ := k.answer(); status != 0 {
			t.Fatalf("got status %d of one that was not refused", status)
		}
	}
	eventually(t, "nothing owed", func() bool { return len(s.journal.owed()) == 0 })
}

// TestDrop: the oldest are refused of who holds most of the slots that are read to,
// but for those that may not be, and none that waits elsewhere.
func TestDrop(t *testing.T) {
	l := newQueues(2)
	for slot, owner := range []string{"one", "many", "many", "many"} {
		l.add(slot)
		if i, ok := l.unknown(); !ok || i != slot {
			t.Fatalf("got slot %d", i)
		}
		l.park(owner, slot)
	}
	l.add(readySlots)
	l.unknown()
	l.park("many", readySlots)
	if got := l.drop(10, func(slot int) bool { return slot != 1 }); !slices.Equal(got, []int{2, 3}) || l.waiting != 3 {
		t.Errorf("got %v, and %d wait; want 2 and 3, and 3 to wait", got, l.waiting)
	}
}

// TestOwedBacklog: a process leaves a backlog to the next one, and one request of it
// in two slots.
func TestOwedBacklog(t *testing.T) {
	k := newFakeKernel(t)
	cfg := Config{Waiting: 1000, Owner: testOwner}
	var owed [][]byte
	for i := range uint64(600) {
		owed = append(owed, request(opGetattr, 10+2*i, 1, make([]byte, 16)))
	}
	owed = append(owed, owed[3])
	serve(t, k.restore(k.crashed(cfg, owed...), cfg, newTestFS()))
	answered := make(map[uint64]int)
	for range 600 {
		unique, _, _ := k.answer()
		answered[unique]++
	}
	k.wantSilence(20 * time.Millisecond)
	if len(answered) != 600 {
		t.Errorf("got answers to %d requests, want 600", len(answered))
	}
}

// TestOwedBacklogTakesLong: when one of those that are owed takes long, the rest of
// them, of which there may be more than workers, wait for their turn.
func TestOwedBacklogTakesLong(t *testing.T) {
	k := newFakeKernel(t)
	cfg := Config{Waiting: 1000, Owner: testOwner}
	owed := [][]byte{request(opGetattr, 8, nodeHeld, make([]byte, 16))}
	for i := range uint64(600) {
		owed = append(owed, request(opGetattr, 10+2*i, 1, make([]byte, 16)))
	}
	f := newTestFS()
	s := k.restore(k.crashed(cfg, owed...), cfg, f)
	serve(t, s)
	for range 600 {
		if unique, status, _ := k.answer(); status != 0 || unique == 8 {
			t.Errorf("got %d for request %d", status, unique)
		}
	}
	close(f.release)
	k.wantAnswer(8, 0)
}

// TestTrim: the memory that a backlog took is given back, and there for the next.
func TestTrim(t *testing.T) {
	k := newFakeKernel(t)
	s := k.prepare(Config{Waiting: 1000, Owner: testOwner}, newTestFS())
	const many = 200
	backlog := func() {
		for i := range uint64(many) {
			k.sendAs(tidOfMany, 10+2*i, 1)
		}
	}
	backed := func() int { return strings.Count(string(memoryOf(t, s)), "x") }
	backlog()
	if n := backed(); n != 0 {
		t.Fatalf("got %d slots to wait in with memory at first, want none", n)
	}
	stop := serve(t, s)
	for range many {
		k.answer()
	}
	eventually(t, "all slots are free", func() bool { return len(s.journal.owed()) == 0 })
	if backed() == 0 {
		t.Fatal("nothing waited in a slot of its own")
	}
	for range 2 {
		if err := s.Trim(); err != nil {
			t.Fatal(err)
		}
	}
	if n := backed(); n != 0 {
		t.Errorf("got %d slots with memory, want none", n)
	}
	backlog()
	for range many {
		k.answer()
	}
	stop()
}

// memoryOf has an x for each slot to wait in that has memory.
func memoryOf(t *testing.T, s *Session) []byte {
	t.Helper()
	var b []byte
	for i := readySlots; i < s.journal.slots(); i++ {
		b = append(b, '.')
		if s.journal.used(i) == i {
			b[len(b)-1] = 'x'
		}
	}
	return b
}

func TestQueues(t *testing.T) {
	l := newQueues(2)
	for i, owner := range []string{"a", "a", "a", "a", "b", "c", "b"} {
		l.add(i)
		l.unknown()
		l.park(owner, i)
	}
	var order []int
	var of []*queue
	for l.ready() {
		slot, a := l.take()
		order, of = append(order, slot), append(of, a)
	}
	want := []int{0, 4, 5, 1, 6}
	if len(order) != len(want) {
		t.Fatalf("got %v, want %v: two of an owner at a time", order, want)
	}
	for i := range want {
		if order[i] != want[i] {
			t.Fatalf("got %v, want %v", order, want)
		}
	}
	l.done(of[0])
	if slot, _ := l.take(); slot != 2 || l.ready() {
		t.Errorf("got %d and more to take, want 2 and none", slot)
	}
	for _, a := range of[1:] {
		l.done(a)
	}
	if l.waiting != 1 || !l.ready() || len(l.byOwner) != 1 {
		t.Errorf("got %d waiting, ready %v, %d queues; want 1, true, 1", l.waiting, l.ready(), len(l.byOwner))
	}
}
