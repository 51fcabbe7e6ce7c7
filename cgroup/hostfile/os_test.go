package hostfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestOSAppend(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("0123456789abcdef", 10000)
	for name, content := range map[string]string{"empty": "", "short": "1\n", "long": long} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, dst := range [][]byte{nil, []byte("before"), make([]byte, 3, 1<<20)} {
			got, err := OS{}.Append(dst, filepath.Join(dir, name))
			if want := string(dst) + content; string(got) != want || err != nil {
				t.Errorf("%s: got %d bytes, %v, want %d", name, len(got), err, len(want))
			}
		}
	}
	for _, tt := range []struct {
		name string
		want error
	}{{"nothing", fs.ErrNotExist}, {".", syscall.EISDIR}, {"short/x", syscall.ENOTDIR}} {
		got, err := OS{}.Append([]byte("x"), filepath.Join(dir, tt.name))
		if string(got) != "x" || !errors.Is(err, tt.want) {
			t.Errorf("%s: got %q, %v, want %v", tt.name, got, err, tt.want)
		}
		checkNamed(t, err, filepath.Join(dir, tt.name))
	}
}

// checkNamed checks that an error names its file.
func checkNamed(t *testing.T, err error, path string) {
	t.Helper()
	var pe *fs.PathError
	if err != nil && (!errors.As(err, &pe) || pe.Path != path) {
		t.Errorf("got %v, want an error that names %s", err, path)
	}
}

func TestOSAppendMaxSize(t *testing.T) {
	for _, tt := range []struct {
		size int64
		want error
	}{{MaxSize, nil}, {MaxSize + 1, ErrTooLarge}} {
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, tt.size); err != nil {
			t.Fatal(err)
		}
		got, err := OS{}.Append([]byte("x"), name)
		if !errors.Is(err, tt.want) || err == nil && int64(len(got)) != tt.size+1 || err != nil && string(got) != "x" {
			t.Errorf("%d bytes: got %d, %v, want %v", tt.size, len(got), err, tt.want)
		}
		checkNamed(t, err, name)
	}
}

func TestOSReadDirAndSubdirs(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i := range 300 { // several reads of the directory
		want = append(want, fmt.Sprintf("dir %d with a long name, so that records need several reads", i))
		if err := os.Mkdir(filepath.Join(dir, want[i]), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(want)
	all := append(slices.Clone(want), "file", "link")
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "file"), nil, 0o600), os.Symlink(".", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	names, err := OS{}.ReadDir(dir)
	slices.Sort(names)
	if !slices.Equal(names, all) || err != nil {
		t.Errorf("ReadDir: got %d names, %v, want %d", len(names), err, len(all))
	}
	dirs, err := Subdirs(OS{}, dir, 1000)
	slices.Sort(dirs)
	if !slices.Equal(dirs, want) || err != nil {
		t.Errorf("Subdirs: got %d names, %v, want %d", len(dirs), err, len(want))
	}
	if dirs, err := Subdirs(OS{}, dir, 7); len(dirs) != 7 || err != nil {
		t.Errorf("Subdirs with a limit: got %d names, %v", len(dirs), err)
	}
	_, err = Subdirs(OS{}, dir+"/nothing", 7)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
	_, err = Subdirs(OS{}, dir+"/file", 7)
	if !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("got %v, want %v", err, syscall.ENOTDIR)
	}
	checkNamed(t, err, dir+"/file")
}

func TestOSStat(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	got, err := OS{}.Stat(dir)
	if err != nil || got.Mode != fs.ModeDir|0o750 || got.Inode == 0 || int(got.UID) != os.Getuid() {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = OS{}.Stat(dir + "/nothing")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
	checkNamed(t, err, dir+"/nothing")
}

func TestOSKernelFiles(t *testing.T) {
	a, err := OS{}.Append(nil, "/proc/self/cgroup")
	if err != nil {
		t.Skip("needs /proc; have:", err)
	}
	if b, err := os.ReadFile("/proc/self/cgroup"); err != nil || !bytes.Equal(a, b) {
		t.Errorf("got %q, want %q, %v", a, b, err)
	}
}

func TestOSLeaksNoDescriptor(t *testing.T) {
	count := func() int {
		names, err := OS{}.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc; have:", err)
		}
		return len(names)
	}
	dir := t.TempDir()
	before := count()
	for range 20 {
		_, _ = OS{}.Append(nil, dir)
		_, _ = OS{}.Append(nil, "/proc/self/stat")
		_, _ = OS{}.Subdirs(dir, 1)
		_, _ = OS{}.Subdirs("/proc/self/stat", 1)
	}
	if after := count(); after > before {
		t.Errorf("got %d descriptors, want %d", after, before)
	}
}

func TestAppendHead(t *testing.T) {
	whole, err := OS{}.Append(nil, "/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{-1, 0, 1, 100, 4096, len(whole), len(whole) + 1, 1 << 20} {
		want := "x" + string(whole[:min(max(limit, 0), len(whole))])
		for _, fsys := range []FS{OS{}, NewHeld(1), struct{ FS }{OS{}}} {
			got, err := AppendHead(fsys, []byte("x"), "/proc/self/mountinfo", limit)
			if err != nil || string(got) != want {
				t.Errorf("%T, %d bytes: got %q, %v, want %q", fsys, limit, got, err, want)
			}
		}
	}
	if got, err := AppendHead(OS{}, []byte("x"), "/proc/self/nothing", 9); string(got) != "x" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %q, %v", got, err)
	}
}
