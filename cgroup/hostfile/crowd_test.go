package hostfile

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// busyFile returns a held file that is being read until release is called.
func busyFile(t *testing.T, dir string) (f *held, release func()) {
	t.Helper()
	h := NewHeld(4)
	wantIn(t, h, dir, "0", "0\n")
	f = h.named[place{dir, "0"}]
	f.mu.Lock()
	f.busy = true
	f.mu.Unlock()
	return f, f.yield
}

// await polls until a condition holds under f.mu.
func await(t *testing.T, f *held, what string, ok func() bool) {
	t.Helper()
	for range 30000 {
		f.mu.Lock()
		done := ok()
		f.mu.Unlock()
		if done {
			return
		}
		syscall.Nanosleep(&syscall.Timespec{Nsec: 1_000_000}, nil)
	}
	t.Fatalf("waited in vain: %s", what)
}

// Readers that come while the file is read get what it says after they came.
func TestCrowd(t *testing.T) {
	dir := shelf(t, 1)
	f, release := busyFile(t, dir)
	const readers = 50
	var came atomic.Int32
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() {
			came.Add(1)
			prefix := fmt.Sprint(i, ":")
			got, err := f.Append([]byte(prefix))
			if err != nil || string(got) != prefix+"changed\n" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	await(t, f, "a crowd", func() bool { return came.Load() == readers && f.next != nil })
	if err := os.WriteFile(dir+"/0", []byte("changed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	release()
	all.Wait()
	await(t, f, "nobody reading", func() bool { return !f.busy && f.next == nil })
}

// A file that is closed under its reader serves it first.
func TestCrowdClose(t *testing.T) {
	dir := shelf(t, 1)
	f, release := busyFile(t, dir)
	var all sync.WaitGroup
	all.Go(func() {
		if got, err := f.Append(nil); err != nil || string(got) != "0\n" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	await(t, f, "a crowd", func() bool { return f.next != nil })
	if f.closeIdle() {
		t.Error("closed while it is read")
	}
	f.Close()
	if f.fd < 0 {
		t.Error("closed while it is read")
	}
	release()
	all.Wait()
	await(t, f, "the end", func() bool { return f.fd < 0 })
	if _, err := f.Append(nil); err == nil {
		t.Error("a closed file: no error")
	}
}
