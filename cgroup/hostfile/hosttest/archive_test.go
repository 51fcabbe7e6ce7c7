package hosttest

import (
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/tools/txtar"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

const sample = `Debian 13, where it came from.
-- proc/self/cgroup --
0::/a b
-- proc/1/ns/pid@ --
pid:[4026531836]
-- sys/fs/cgroup/a b/ --
1000 1001 700
-- sys/fs/cgroup/a b/memory.max --
max
-- sys/fs/cgroup/a b/in/ --
0 0 755
-- empty --
`

func parsed(t *testing.T) *Archive {
	t.Helper()
	a, err := Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestParseArchive(t *testing.T) {
	want := &Archive{
		Files: map[string]string{"/proc/self/cgroup": "0::/a b\n", "/sys/fs/cgroup/a b/memory.max": "max\n", "/empty": ""},
		Links: map[string]string{"/proc/1/ns/pid": "pid:[4026531836]"},
		Dirs: map[string]hostfile.Info{
			"/sys/fs/cgroup/a b":    {UID: 1000, GID: 1001, Mode: 0o700},
			"/sys/fs/cgroup/a b/in": {Mode: 0o755},
		},
	}
	if got := parsed(t); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseArchiveErrors(t *testing.T) {
	tests := []struct{ name, in string }{
		{"leading slash", "-- /a --\n"},
		{"dots", "-- a/../b --\n"},
		{"double slash", "-- a//b --\n"},
		{"only a slash", "-- / --\n"},
		{"only a link", "-- @ --\n"},
		{"two suffixes", "-- a@/ --\n0 0 755\n"},
		{"file twice", "-- a --\n-- a --\n"},
		{"file and directory", "-- a --\n-- a/ --\n0 0 755\n"},
		{"directory without owner", "-- a/ --\n"},
		{"four fields", "-- a/ --\n0 0 755 1\n"},
		{"bad uid", "-- a/ --\nx 0 755\n"},
		{"negative gid", "-- a/ --\n0 -1 755\n"},
		{"large uid", "-- a/ --\n4294967296 0 755\n"},
		{"mode not octal", "-- a/ --\n0 0 789\n"},
		{"mode too large", "-- a/ --\n0 0 1755\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if a, err := Parse([]byte(tt.in)); !errors.Is(err, ErrArchive) || a != nil {
				t.Errorf("got %+v, %v, want %v", a, err, ErrArchive)
			}
		})
	}
}

func TestArchiveAppend(t *testing.T) {
	a := parsed(t)
	a.Errors = map[string]error{"/empty": syscall.ESRCH}
	tests := []struct {
		name, path, want string
		err              error
	}{
		{"file", "/sys/fs/cgroup/a b/memory.max", "x:max\n", nil},
		{"absent", "/nothing", "x:", fs.ErrNotExist},
		{"directory", "/sys/fs", "x:", syscall.EISDIR},
		{"link", "/proc/1/ns/pid", "x:", fs.ErrNotExist},
		{"error", "/empty", "x:", syscall.ESRCH},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := a.Append([]byte("x:"), tt.path)
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
			checkNamed(t, err, tt.path)
		})
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

func TestArchiveReadDir(t *testing.T) {
	a := parsed(t)
	a.Errors = map[string]error{"/proc/1": syscall.ESRCH}
	tests := []struct {
		name, path string
		want, dirs []string
		err        error
	}{
		{"root", "/", []string{"empty", "proc", "sys"}, []string{"proc", "sys"}, nil},
		{"files and directories", "/sys/fs/cgroup/a b", []string{"in", "memory.max"}, []string{"in"}, nil},
		{"empty", "/sys/fs/cgroup/a b/in", []string{}, []string{}, nil},
		{"link", "/proc/1/ns", []string{"pid"}, []string{}, nil},
		{"absent", "/nothing", nil, nil, fs.ErrNotExist},
		{"prefix of a name", "/sys/fs/cgroup/a", nil, nil, fs.ErrNotExist},
		{"file", "/empty", nil, nil, syscall.ENOTDIR},
		{"error", "/proc/1", nil, nil, syscall.ESRCH},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := a.ReadDir(tt.path)
			if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
			checkNamed(t, err, tt.path)
			dirs, err := hostfile.Subdirs(a, tt.path, 10)
			if !slices.Equal(dirs, tt.dirs) || !errors.Is(err, tt.err) {
				t.Errorf("Subdirs: got %q, %v, want %q, %v", dirs, err, tt.dirs, tt.err)
			}
		})
	}
	if got, err := hostfile.Subdirs(a, "/", 1); err != nil || len(got) != 1 {
		t.Errorf("Subdirs with a limit: got %q, %v", got, err)
	}
}

func TestArchiveStat(t *testing.T) {
	a := parsed(t)
	a.Errors = map[string]error{"/proc/1": syscall.ESRCH}
	a.Dirs["/fixed"] = hostfile.Info{Dev: 7, Inode: 8}
	tests := []struct {
		name, path string
		want       hostfile.Info
		err        error
	}{
		{"file", "/empty", hostfile.Info{Dev: 1, Inode: inode("/empty"), Mode: 0o444}, nil},
		{"owned directory", "/sys/fs/cgroup/a b",
			hostfile.Info{Dev: 1, Inode: inode("/sys/fs/cgroup/a b"), UID: 1000, GID: 1001, Mode: fs.ModeDir | 0o700}, nil},
		{"directory", "/sys/fs", hostfile.Info{Dev: 1, Inode: inode("/sys/fs"), Mode: fs.ModeDir | 0o755}, nil},
		{"given inode", "/fixed", hostfile.Info{Dev: 7, Inode: 8, Mode: fs.ModeDir}, nil},
		{"absent", "/nothing", hostfile.Info{}, fs.ErrNotExist},
		{"error", "/proc/1", hostfile.Info{}, syscall.ESRCH},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := a.Stat(tt.path)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %+v, %v, want %+v, %v", got, err, tt.want, tt.err)
			}
			checkNamed(t, err, tt.path)
		})
	}
	if inode("/a") == inode("/b") || inode("/a") != inode("/a/") {
		t.Error("inodes are not those of paths")
	}
}

func FuzzParseArchive(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("-- a@/ --\n-- a//b --\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Parse(b)
		if err != nil {
			return
		}
		if got, want := len(a.Files)+len(a.Dirs)+len(a.Links), len(txtar.Parse(b).Files); got != want {
			t.Errorf("got %d entries, want %d", got, want)
		}
		for name, content := range a.Files {
			if got, err := a.Append(nil, name); err != nil || string(got) != content {
				t.Errorf("%q: got %q, %v, want %q", name, got, err, content)
			}
		}
	})
}
