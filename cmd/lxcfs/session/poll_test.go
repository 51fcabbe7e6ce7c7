package session

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// pollFS answers POLL of one node, and of no other.
type pollFS struct {
	*testFS
	asked chan string
}

func (f pollFS) Poll(node, fh, kh uint64, notify bool) (uint32, syscall.Errno) {
	f.asked <- fmt.Sprint(node, fh, kh, notify)
	if node == nodeBig {
		return 0, syscall.EBADF
	}
	return 0x105, 0
}

func pollBody(fh, kh uint64, flags uint32) []byte {
	in := pollIn{fh: fh, kh: kh, flags: flags, events: 2}
	return bytesOf(&in)[inHeaderSize:]
}

func TestPoll(t *testing.T) {
	k := newFakeKernel(t)
	f := pollFS{newTestFS(), make(chan string, 10)}
	s, _ := k.start(Config{}, f)
	const unique = 1<<63 | 10
	k.send(opPoll, unique, nodeSmall, pollBody(7, 1<<40, pollScheduleNotify))
	u, status, body := k.answer()
	if u != unique || status != 0 || len(body) != 8 || binary.NativeEndian.Uint32(body) != 5|1<<8 {
		t.Errorf("got answer to %#x: %d, % x", u, status, body)
	}
	if got, want := <-f.asked, fmt.Sprint(nodeSmall, 7, uint64(1<<40), true); got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	k.send(opPoll, 12, nodeBig, pollBody(7, 9, 0))
	k.wantAnswer(12, unix.EBADF)
	if got, want := <-f.asked, fmt.Sprint(nodeBig, 7, 9, false); got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	k.send(opPoll, 14, nodeSmall, make([]byte, 8)) // no kernel sends that
	k.wantAnswer(14, unix.ENOSYS)
	if err := s.NotifyPoll(1 << 40); err != nil {
		t.Error(err)
	}
	if got := <-k.notices; got != notifyPoll {
		t.Errorf("got notification %d, want %d", got, notifyPoll)
	}
}

// Records about handles stay where handles are forgotten for want of room, and
// another process finds them.
func TestMarks(t *testing.T) {
	mem := make([]byte, handlesSize)
	h := openHandles(mem, 1)
	for i := range uint64(maxMarks) {
		if !h.Mark(i, fmt.Append(nil, "mark ", i)) {
			t.Fatalf("no room for mark %d", i)
		}
	}
	if h.Mark(maxMarks, nil) || h.Mark(1, make([]byte, blockSize+1)) {
		t.Error("a mark too many, or too long a one, is taken")
	}
	for fh := range uint64(2 * maxHandles) {
		var content []byte
		if fh%32 == 0 { // the blocks run out too
			content = make([]byte, MaxContent)
		}
		h.Save(fh, 5, 2, content, "owner")
	}
	h.Mark(3, []byte("again"))
	h.Unmark(4)
	h.Drop(5) // the handle, not what is marked of it
	for _, table := range []*Handles{h, openHandles(mem, 2)} {
		marks := table.Marks()
		if len(marks) != maxMarks-1 || string(marks[3]) != "again" || string(marks[5]) != "mark 5" || marks[4] != nil {
			t.Errorf("%d marks, of 3 %q, of 4 %q, of 5 %q", len(marks), marks[3], marks[4], marks[5])
		}
		if _, _, _, ok := table.Load(7); ok {
			t.Error("a handle is found that was forgotten")
		}
		if node, _, _, ok := table.Load(2*maxHandles - 1); !ok || node != 5 {
			t.Error("the last handle is not found")
		}
	}
	next := openHandles(mem, 2)
	if !next.Mark(1000, []byte("x")) || next.Mark(1001, []byte("x")) {
		t.Error("a successor counts the marks wrongly")
	}
}
