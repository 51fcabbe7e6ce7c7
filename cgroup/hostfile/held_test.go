package hostfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// shelf makes a directory with files named by number, each holding its name.
func shelf(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		name := fmt.Sprint(i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func wantIn(t *testing.T, h FS, dir, file, want string) {
	t.Helper()
	got, err := AppendIn(h, []byte("x"), dir, file)
	if err != nil || string(got) != "x"+want {
		t.Errorf("%s/%s: got %q, %v, want %q", dir, file, got, err, "x"+want)
	}
}

func TestHeldShowsWhatIsNow(t *testing.T) {
	h := NewHeld(4)
	dir := shelf(t, 1)
	wantIn(t, h, dir, "0", "0\n")
	if err := os.WriteFile(dir+"/0", []byte("changed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantIn(t, h, dir, "0", "changed\n")
	if h.Len() != 1 {
		t.Errorf("got %d files held, want 1", h.Len())
	}
	first, err := h.Append(nil, "/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		again, err := h.Append(nil, "/proc/uptime")
		if err != nil {
			t.Fatal(err)
		}
		if string(again) != string(first) {
			return
		}
		syscall.Nanosleep(&syscall.Timespec{Nsec: 10_000_000}, nil)
	}
	t.Error("uptime stood still")
}

func TestHeldLongFiles(t *testing.T) {
	h := NewHeld(4)
	dir := t.TempDir()
	long := strings.Repeat("0123456789abcde\n", 3000)
	if err := os.WriteFile(dir+"/long", []byte(long), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		wantIn(t, h, dir, "long", long)
	}
	for _, name := range []string{"/proc/cpuinfo", "/proc/meminfo", "/proc/partitions", "/sys/devices/system/cpu/online"} {
		for range 2 {
			got, err := h.Append(nil, name)
			if err != nil || len(got) == 0 || got[len(got)-1] != '\n' {
				t.Errorf("%s: got %d bytes, %v", name, len(got), err)
			}
		}
	}
}

func TestHeldLimit(t *testing.T) {
	h := NewHeld(3)
	dir := shelf(t, 20)
	for range 3 {
		for i := range 20 {
			name := fmt.Sprint(i)
			wantIn(t, h, dir, name, name+"\n")
			wantIn(t, h, dir, "0", "0\n")
			if h.Len() > 3 || h.named[place{dir, "0"}] == nil {
				t.Fatalf("after file %d: %d files held, the one in use among them: %v", i, h.Len(), h.named[place{dir, "0"}] != nil)
			}
		}
	}
	if len(h.named) != h.Len() {
		t.Errorf("%d names of %d files", len(h.named), h.Len())
	}
}

// A descriptor is never closed, and its number given to another file, while
// somebody reads it.
func TestHeldNeverMixesFiles(t *testing.T) {
	h := NewHeld(2)
	const files = 8
	dir := shelf(t, files)
	var all sync.WaitGroup
	for g := range files {
		all.Go(func() {
			var buf []byte
			for i := range 300 {
				name := fmt.Sprint((g + i) % files)
				var err error
				if buf, err = h.AppendIn(buf[:0], dir, name); err != nil || string(buf) != name+"\n" {
					t.Errorf("%s: got %q, %v", name, buf, err)
					return
				}
				if i%30 == 0 {
					h.Forget(func(d string) bool { return d == dir })
				}
			}
		})
	}
	all.Wait()
}

func TestHeldForget(t *testing.T) {
	h := NewHeld(4)
	dir := shelf(t, 1)
	other := shelf(t, 1)
	wantIn(t, h, dir, "0", "0\n")
	wantIn(t, h, other, "0", "0\n")
	if err := os.Rename(dir+"/0", dir+"/old"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/0", []byte("new\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantIn(t, h, dir, "0", "0\n") // a rename nobody told of
	Forget(h, func(d string) bool { return d == dir })
	wantIn(t, h, dir, "0", "new\n")
	if h.Len() != 2 {
		t.Errorf("got %d files held, want 2", h.Len())
	}
}

func TestHeldHoldsNoTaskList(t *testing.T) {
	h := NewHeld(4)
	dir := t.TempDir()
	for _, name := range []string{"cgroup.procs", "cgroup.threads", "tasks"} {
		if err := os.WriteFile(dir+"/"+name, []byte("1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		wantIn(t, h, dir, name, "1\n")
	}
	if h.Len() != 0 {
		t.Errorf("got %d files held, want none", h.Len())
	}
}

func TestHeldErrors(t *testing.T) {
	h := NewHeld(4)
	dir := shelf(t, 1)
	got, err := h.AppendIn([]byte("x"), dir, "none")
	if !errors.Is(err, fs.ErrNotExist) || string(got) != "x" || !strings.Contains(err.Error(), dir+"/none") {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := h.AppendIn(nil, filepath.Dir(dir), filepath.Base(dir)); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a directory: got %v", err)
	}
	if h.Len() != 0 {
		t.Errorf("got %d files held, want none", h.Len())
	}
}

// A held file of a task says that the task is gone, whoever has its pid later.
func TestHoldTask(t *testing.T) {
	for _, fsys := range []FS{NewHeld(2), OS{}} {
		cmd := exec.Command("cat")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		f, err := Hold(fsys, fmt.Sprintf("/proc/%d/cgroup", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Append(nil)
		if err != nil || !strings.Contains(string(got), ":/") {
			t.Errorf("%T: got %q, %v", fsys, got, err)
		}
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		if got, err = f.Append([]byte("x")); err == nil || string(got) != "x" {
			t.Errorf("%T after its end: got %q, %v", fsys, got, err)
		}
		f.Close()
		f.Close()
		if _, err = f.Append(nil); err == nil {
			t.Errorf("%T after Close: no error", fsys)
		}
	}
}

func TestHoldMakesRoom(t *testing.T) {
	h := NewHeld(2)
	var all []File
	for range 5 {
		f, err := Hold(h, "/proc/self/cgroup")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	if h.Len() > 2 {
		t.Errorf("got %d files held, want 2", h.Len())
	}
	if _, err := all[0].Append(nil); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("one closed to make room: got %v", err)
	}
	if _, err := all[4].Append(nil); err != nil {
		t.Errorf("the last one: %v", err)
	}
}

func TestHeldAllocs(t *testing.T) {
	h := NewHeld(4)
	dir := shelf(t, 1)
	buf := make([]byte, 0, 8192)
	file := "0"
	if n := testing.AllocsPerRun(100, func() {
		var err error
		if buf, err = h.AppendIn(buf[:0], dir, file); err != nil {
			t.Fatal(err)
		}
		if buf, err = h.Append(buf[:0], "/proc/uptime"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}

func BenchmarkHeld(b *testing.B) {
	h := NewHeld(4)
	buf := make([]byte, 0, 8192)
	for _, c := range []struct {
		name string
		fsys FS
	}{{"held", h}, {"open", OS{}}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if buf, err = c.fsys.Append(buf[:0], "/proc/uptime"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
