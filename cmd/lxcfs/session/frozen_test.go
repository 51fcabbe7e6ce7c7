package session

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"io"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

var freeze = flag.Bool("freeze", false, "write the sample of this journal version anew, which only a change of the version allows")

// sample is a journal as a daemon of version 1 left it: INIT negotiated, one
// request owed, one file half read. A daemon that can't go on with it loses what
// readers wait for at an upgrade.
const (
	sample        = "testdata/journal-1.gz"
	sampleUnique  = 10
	sampleFH      = 7<<32 | 1
	sampleNode    = nodeSmall
	sampleContent = "MemTotal:         262144 kB\n"
)

func needLittleEndian(t *testing.T) {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skipf("needs a little-endian machine; have: %s", runtime.GOARCH)
	}
}

// makeSample writes the sample.
func makeSample(t *testing.T) {
	t.Helper()
	k := newFakeKernel(t)
	fd := k.crashed(Config{}, request(opGetattr, sampleUnique, 1, make([]byte, 16)))
	defer unix.Close(fd)
	edit(t, fd, func(j *journal) {
		j.count(0)
		openHandles(j.table, 7).Save(sampleFH, sampleNode, uint64(len(sampleContent)), []byte(sampleContent), "owner")
	})
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		t.Fatal(err)
	}
	content := make([]byte, st.Size)
	if _, err := unix.Pread(fd, content, 0); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(content)
	w.Close()
	if err := os.WriteFile(sample, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// openSample returns the sample in a sealed memfd.
func openSample(t *testing.T) int {
	t.Helper()
	f, err := os.Open(sample)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.MemfdCreate("sample", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Pwrite(fd, content, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		t.Fatal(err)
	}
	return fd
}

// TestFrozenJournal: this version goes on with a journal of version 1.
func TestFrozenJournal(t *testing.T) {
	needLittleEndian(t)
	if *freeze {
		makeSample(t)
	}
	k := newFakeKernel(t)
	s := k.restore(openSample(t), Config{}, newTestFS())
	if s.lost || s.resend {
		t.Error("the journal was not usable")
	}
	if st := s.Stats(); st.Deaths != 1 {
		t.Errorf("got %d deaths, want 1", st.Deaths)
	}
	if out := s.InitAnswer(); out.Minor == 0 || out.MaxPages != 32 {
		t.Errorf("INIT answer: got minor %d, max_pages %d", out.Minor, out.MaxPages)
	}
	node, length, content, ok := s.Handles().Load(sampleFH)
	if !ok || node != sampleNode || length != uint64(len(sampleContent)) || string(content) != sampleContent {
		t.Errorf("handle: got %d, %d, %q, %v", node, length, content, ok)
	}
	serve(t, s)
	k.wantAnswer(sampleUnique, 0)
	k.getattr(12, 1)
	k.wantAnswer(12, 0)
}

// TestJournalOfTheFuture: an older daemon that faces a newer journal answers what
// is owed, with EIO, and serves on as negotiated.
func TestJournalOfTheFuture(t *testing.T) {
	needLittleEndian(t)
	k := newFakeKernel(t)
	fd := openSample(t)
	version := make([]byte, 4)
	binary.NativeEndian.PutUint32(version, journalVersion+1)
	if _, err := unix.Pwrite(fd, version, 8); err != nil {
		t.Fatal(err)
	}
	var seen events
	s, err := Restore(k.dup(), fd, Config{Report: seen.add})
	if err != nil {
		t.Fatal(err)
	}
	k.wantAnswer(sampleUnique, unix.EIO)
	if err := s.Init(newTestFS()); err != nil {
		t.Fatal(err)
	}
	k.wantAnswer(2, 0) // INIT again, which a kernel that has it does not mind
	if out := s.InitAnswer(); out.MaxPages != 32 {
		t.Errorf("INIT answer: got max_pages %d", out.MaxPages)
	}
	serve(t, s)
	k.getattr(12, 1)
	k.wantAnswer(12, 0)
	if seen.count(EventForeign) != 1 || s.JournalFD() == fd {
		t.Errorf("got %d reports, journal %d", seen.count(EventForeign), s.JournalFD())
	}
}
