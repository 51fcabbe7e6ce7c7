package session

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// damage writes over a journal.
func damage(t testing.TB, fd int, at uint32, bytes []byte) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	at %= uint32(st.Size)
	if _, err := unix.Pwrite(fd, bytes[:min(len(bytes), int(st.Size)-int(at))], int64(at)); err != nil {
		t.Fatal(err)
	}
}

// survive restores a session from a damaged journal and serves: whatever is in it,
// a new request is answered, or serving ends with an error.
func survive(t *testing.T, journal int) {
	k := newFakeKernel(t)
	s, err := Restore(k.dup(), journal, Config{Waiting: 100, Owner: func(uint32) string { return "" }})
	if err != nil {
		return
	}
	const unique = 1<<40 + 2
	k.getattr(unique, 1) // where INIT is not known a session waits for whatever comes
	if err := s.Init(fuse.NewDefaultRawFileSystem()); err != nil {
		s.Close()
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	deadline := time.After(20 * time.Second)
	for answered := false; !answered; {
		select {
		case r := <-k.replies:
			answered = outHeaderOf(r).unique == unique
		case err := <-ended:
			if err == nil {
				t.Error("serving ended, without an error")
			}
			answered = true
			ended <- err
		case <-deadline:
			t.Fatal("no answer in 20 s")
		}
	}
	cancel()
	<-ended
	eventually(t, "it ends", func() bool { return s.Close() == nil })
}

// FuzzGarbageJournal: a journal that was damaged in two places, or is of nobody.
func FuzzGarbageJournal(f *testing.F) {
	le := binary.NativeEndian.AppendUint32
	many := func(word uint32, n int) (b []byte) {
		for range n {
			b = le(b, word)
		}
		return b
	}
	const slot0 = 8192 // of the sample
	for _, seed := range []struct {
		at    uint32
		bytes []byte
	}{
		{0, []byte("not a journal")},
		{8, le(nil, 0)},                            // version
		{12, le(nil, 0)},                           // slots
		{12, le(nil, 1<<31)},                       // slots
		{16, le(nil, 7)},                           // stride
		{20, le(nil, 1<<32-8)},                     // offset of the slots
		{24, le(nil, 1<<32-1)},                     // epoch
		{28, le(nil, 1<<32-8)},                     // of INIT
		{64, many(0xffffffff, 20)},                 // this version's header
		{1024, many(0xffffffff, 16)},               // INIT
		{2048, le(nil, 0)},                         // no answer to INIT
		{2048 + 16, many(0xffffffff, 16)},          // what was agreed on
		{4096, many(0xffffffff, 64*4)},             // dispatches
		{slot0, many(0xffffffff, 10)},              // a request
		{slot0, many(56, 2048)},                    // a request of 56 bytes, opcode 56
		{slot0 + 8192, many(0x60, 20)},             // another
		{slot0 + 64*8192, many(0xffffffff, 1<<16)}, // handles
		{slot0 + 64*8192, many(1, 1<<17)},
	} {
		f.Add(seed.at, seed.bytes, seed.at+64, []byte{1})
	}
	f.Fuzz(func(t *testing.T, at1 uint32, bytes1 []byte, at2 uint32, bytes2 []byte) {
		needLittleEndian(t)
		fd := openSample(t)
		damage(t, fd, at1, bytes1)
		damage(t, fd, at2, bytes2)
		survive(t, fd)
	})
}

// What is no memfd, or is none that stays as long as it is, is nobody's journal.
func TestJournalOfNobody(t *testing.T) {
	for _, name := range []string{"empty", "not sealed", "a pipe", "none"} {
		t.Run(name, func(t *testing.T) {
			fd := -1
			switch name {
			case "empty", "not sealed":
				var err error
				if fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING); err != nil {
					t.Fatal(err)
				}
				if name == "not sealed" {
					sealed := openSample(t)
					defer unix.Close(sealed)
					content := make([]byte, 1<<16)
					n, _ := unix.Pread(sealed, content, 0)
					unix.Pwrite(fd, content[:n], 0)
				}
			case "a pipe":
				var p [2]int
				if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
					t.Fatal(err)
				}
				defer unix.Close(p[1])
				fd = p[0]
			}
			survive(t, fd)
		})
	}
}

// A request that ends each process is in the journal together with a backlog, of
// which some were under way whenever a process died: it alone gets an error.
func TestPoisonInBacklog(t *testing.T) {
	k := newFakeKernel(t)
	cfg := Config{Waiting: 1000, Owner: testOwner}
	const poison = 8
	owed := [][]byte{request(opGetattr, poison, 1, make([]byte, 16))}
	for i := range uint64(600) {
		owed = append(owed, request(opGetattr, 10+2*i, 1, make([]byte, 16)))
	}
	j := k.crashed(cfg, owed...)
	for death := range maxDispatches {
		edit(t, j, func(j *journal) { // as a process leaves it that dies of the request, with others under way
			j.count(0)
			for i := range 20 {
				j.count(1 + 100*death + i)
			}
		})
	}
	cfg.Crashed = true
	serve(t, k.restore(j, cfg, newTestFS()))
	answered := make(map[uint64]string)
	for range owed {
		unique, status, _ := k.answer()
		answered[unique] = fmt.Sprint(status)
	}
	for i := range owed {
		want := "0"
		if i == 0 {
			want = fmt.Sprint(-int32(unix.EIO))
		}
		if got := answered[8+2*uint64(i)]; got != want {
			t.Errorf("request %d: got %s, want %s", 8+2*i, got, want)
		}
	}
}
