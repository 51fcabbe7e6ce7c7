//go:build integration

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// command runs a program and returns what it prints.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, &stderr)
	}
	return string(out)
}

// Every way in which programs read a file gives its whole content.
func TestWaysToRead(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "268435456", cpus: "0"}, nil)
	want := b.run("cat /proc/cpuinfo")
	if strings.Count(want, "processor") != 1 {
		t.Fatalf("cpuinfo of a container of one CPU:\n%s", want)
	}
	for _, tt := range []struct{ name, command, want string }{
		{"busybox cat (sendfile)", "busybox cat /proc/cpuinfo", want},
		{"cp", "cp /proc/cpuinfo $T/x && cat $T/x", want},
		{"dd", "dd if=/proc/cpuinfo bs=7 2>/dev/null", want},
		{"dd of blocks", "dd if=/proc/cpuinfo bs=4k 2>/dev/null", want},
		{"head -c", "head -c 20 /proc/cpuinfo", want[:20]},
		{"tail", "tail -n 1 /proc/cpuinfo | cat -s", lastLine(want)},
		{"tail -c", "tail -c 5 /proc/cpuinfo", want[len(want)-5:]},
		{"wc -c", "wc -c </proc/cpuinfo", fmt.Sprintf("%d\n", len(want))},
		{"wc", "wc -l </proc/cpuinfo", fmt.Sprintf("%d\n", strings.Count(want, "\n"))},
		{"grep", "grep -c . /proc/cpuinfo", fmt.Sprintf("%d\n", strings.Count(want, "\n")-strings.Count(want, "\n\n"))},
		{"sh read", "while IFS= read -r l; do echo \"$l\"; done </proc/cpuinfo", want},
		{"sort", "sort /proc/cpuinfo | grep -c processor", "1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := b.run("T=$(mktemp -d); " + tt.command + "; rm -rf $T")
			if stable(got) != stable(tt.want) {
				t.Errorf("%s: got %d bytes %.80q, want %d bytes %.80q", tt.command, len(got), got, len(tt.want), tt.want)
			}
		})
	}
}

// lastLine returns the last line with its newline.
func lastLine(s string) string {
	at := strings.LastIndexByte(strings.TrimSuffix(s, "\n"), '\n')
	return s[at+1:]
}

// stable leaves out what changes between two reads of cpuinfo: the clock rate.
func stable(s string) string {
	var keep []string
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "cpu MHz") {
			keep = append(keep, line)
		}
	}
	return strings.Join(keep, "")
}

// The same through system calls that the shell has no command for.
func TestSystemCallsToRead(t *testing.T) {
	d := start(t)
	path := d.path("proc/cpuinfo")
	want := mustRead(t, path)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	target, err := os.Create(filepath.Join(t.TempDir(), "copy"))
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	copied := func() string {
		text := mustRead(t, target.Name())
		if err := target.Truncate(0); err != nil {
			t.Fatal(err)
		}
		if _, err := target.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, read := range map[string]func() string{
		"sendfile": func() string {
			for {
				n, err := unix.Sendfile(int(target.Fd()), int(f.Fd()), nil, 1<<20)
				if err == unix.EINVAL {
					return want // the kernel would do it through the page cache (since 6.5); programs read instead
				}
				if err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					return copied()
				}
			}
		},
		"splice": func() string { return splice(t, f) },
		"copy_file_range": func() string {
			for {
				n, err := unix.CopyFileRange(int(f.Fd()), nil, int(target.Fd()), nil, 1<<20, 0)
				if err == unix.EXDEV {
					return want // the kernel refuses (since 5.19), as for procfs; programs read instead
				}
				if err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					return copied()
				}
			}
		},
		"mmap": func() string {
			m, err := unix.Mmap(int(f.Fd()), 0, len(want), unix.PROT_READ, unix.MAP_PRIVATE)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Munmap(m)
			if n, err := target.Write(m); !errors.Is(err, unix.EFAULT) { // there is no page; procfs has no mmap(2) at all
				t.Errorf("%d bytes are mapped, %v", n, err)
			}
			return want
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(); stable(got) != stable(want) {
				t.Errorf("got %d bytes %.60q, want %d bytes", len(got), got, len(want))
			}
		})
	}
}

// splice reads a file through a pipe.
func splice(t *testing.T, f *os.File) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var text strings.Builder
	off := int64(0)
	for {
		n, err := unix.Splice(int(f.Fd()), &off, int(w.Fd()), nil, 4096, 0)
		if err == unix.EINVAL { // as with sendfile
			return mustRead(t, f.Name())
		}
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			w.Close()
			return text.String()
		}
		buf := make([]byte, n)
		if _, err := io.ReadFull(r, buf); err != nil {
			t.Fatal(err)
		}
		text.Write(buf)
	}
}

// Reads at every offset and size, against the kernel's rules for such a file.
func TestOffsetsAndSizes(t *testing.T) {
	d := start(t)
	f, err := os.Open(d.path("proc/swaps"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	whole, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 3, 7, 100, 4096, 1 << 17} {
		var got []byte
		buf := make([]byte, size)
		for off := int64(0); ; {
			n, err := f.ReadAt(buf, off)
			got = append(got, buf[:n]...)
			off += int64(n)
			if err == io.EOF || n == 0 {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, whole) {
			t.Errorf("reads of %d bytes: got %q, want %q", size, got, whole)
		}
	}
	for _, off := range []int64{int64(len(whole)), int64(len(whole)) + 1, 1 << 20, 1 << 40} {
		if n, err := f.ReadAt(make([]byte, 10), off); n != 0 || err != io.EOF {
			t.Errorf("read at %d past the end: %d bytes, %v", off, n, err)
		}
	}
	if end, err := f.Seek(0, io.SeekEnd); err != nil || end != int64(len(whole)) {
		t.Errorf("the end is at %d, %v; want %d", end, err, len(whole))
	}
}

func TestTenThousandOpens(t *testing.T) {
	d := start(t)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	count := 10_000
	if int(limit.Cur) < count+100 {
		count = int(limit.Cur) - 100
	}
	files := make([]*os.File, 0, count)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	first := make([]byte, 10)
	for i := range count {
		f, err := os.Open(d.path("proc/meminfo"))
		if err != nil {
			t.Fatalf("open %d: %v", i, err)
		}
		files = append(files, f)
		if _, err := f.ReadAt(first, 0); err != nil {
			t.Fatalf("read %d: %v", i, err)
		}
	}
	for i, f := range files {
		text, err := io.ReadAll(f)
		if err != nil || !bytes.HasPrefix(text, []byte("MemTotal:")) || text[len(text)-1] != '\n' {
			t.Fatalf("file %d of %d: %v, %.40q", i, count, err, text)
		}
	}
}

func TestAttributes(t *testing.T) {
	d := start(t)
	var before unix.Stat_t
	if err := unix.Stat(d.path("proc/meminfo"), &before); err != nil {
		t.Fatal(err)
	}
	if before.Mode != unix.S_IFREG|0o444 || before.Uid != 0 || before.Size == 0 || before.Size != before.Blksize {
		t.Errorf("proc/meminfo: mode %o, uid %d, size %d, block size %d", before.Mode, before.Uid, before.Size, before.Blksize)
	}
	mustRead(t, d.path("proc/meminfo"))
	var after unix.Stat_t
	if err := unix.Stat(d.path("proc/meminfo"), &after); err != nil {
		t.Fatal(err)
	}
	if before.Mtim != after.Mtim || before.Ctim != after.Ctim || before.Size != after.Size || before.Ino != after.Ino {
		t.Errorf("attributes jump:\n%+v\n%+v", before, after)
	}
	for what, err := range map[string]error{
		"create":   os.WriteFile(d.path("proc/new"), nil, 0o644),
		"mkdir":    os.Mkdir(d.path("proc/new"), 0o755),
		"remove":   os.Remove(d.path("proc/meminfo")),
		"chmod":    os.Chmod(d.path("proc/meminfo"), 0o777),
		"write":    os.WriteFile(d.path("proc/meminfo"), []byte("x"), 0),
		"setxattr": unix.Setxattr(d.path("proc/meminfo"), "user.x", []byte("y"), 0),
		"symlink":  os.Symlink("x", d.path("proc/link")),
	} {
		if err == nil {
			t.Errorf("%s: succeeded", what)
		}
	}
	if _, err := os.Lstat(d.path(".go-fuse-epoll-hack")); !os.IsNotExist(err) {
		t.Errorf("ghost name: %v, want ENOENT", err)
	}
}

func TestDirectories(t *testing.T) {
	d := start(t)
	for dir, want := range map[string][]string{
		"":                       {"proc", "sys"},
		"sys":                    {"devices"},
		"sys/devices":            {"system"},
		"sys/devices/system/cpu": {"online"},
		"proc":                   {"cpuinfo", "diskstats", "loadavg", "meminfo", "stat", "swaps", "uptime"},
	} {
		entries, err := os.ReadDir(d.path(dir))
		if err != nil {
			t.Fatal(err)
		}
		have := make(map[string]bool)
		for _, e := range entries {
			have[e.Name()] = true
		}
		for _, name := range want {
			if !have[name] {
				t.Errorf("%q is not listed in %q: %v", name, dir, entries)
			}
		}
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &st); err != nil || st.Namelen != 255 {
		t.Errorf("statfs: %+v, %v", st, err)
	}
}

// The kernel checks no permissions of the mount: a user may read, and is told so.
func TestUserMayRead(t *testing.T) {
	d := start(t)
	script := `cd "$0/proc" && head -c 9 meminfo && test -r meminfo && ! test -w meminfo && ! test -x meminfo && ! test -w . &&
		! sh -c ': >>meminfo' && ! truncate -s 0 meminfo && ! mkdir x && ! chmod 777 meminfo && ls >/dev/null && echo done`
	cmd := exec.Command("sh", "-c", script, d.dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	// Whoever may not come here learns nothing of the mount.
	for dir := d.dir; dir != "/"; dir = filepath.Dir(dir) {
		var st syscall.Stat_t
		if err := syscall.Stat(dir, &st); err != nil || st.Mode&1 == 0 {
			if err := os.Chmod(dir, 0o711); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := cmd.CombinedOutput()
	if got := string(out); err != nil || !strings.HasPrefix(got, "MemTotal:") || !strings.HasSuffix(got, "done\n") ||
		strings.Count(got, "Permission denied")+strings.Count(got, "Operation not permitted") != 4 {
		t.Errorf("%v: %s", err, got)
	}
}

// What a container has over its /proc/meminfo can be bound again, by a container
// in it, whoever has looked the file up since; and it is called what it is.
func TestBindAgain(t *testing.T) {
	d := start(t)
	b := newBox(t, d, limits{memory: "268435456"}, nil)
	for range 3 {
		mustRead(t, d.path("proc/meminfo"))
		got := b.run("T=$(mktemp -d); touch $T/x; mount --bind /proc/meminfo $T/x && cat $T/x; umount $T/x; rm -r $T")
		if total := field(t, got, "MemTotal:"); total != 262144 {
			t.Errorf("MemTotal %d kB in a bind of the bind, want 262144", total)
		}
	}
	if table := b.run("cat /proc/self/mountinfo"); !strings.Contains(table, " /proc/meminfo /proc/meminfo ") {
		t.Errorf("no mount of /proc/meminfo in\n%s", table)
	}
}

// Hundreds of containers start at once and bind the same files.
func TestBindsAtOnce(t *testing.T) {
	d := start(t)
	const many, binds = 8, 100
	script := fmt.Sprintf(`cd $0 && touch $1 && for i in $(seq %d); do mount --bind %s $1 && umount $1 || exit 1; done`,
		binds, d.path("proc/uptime"))
	var all sync.WaitGroup
	dir := t.TempDir()
	for i := range many {
		all.Go(func() {
			cmd := exec.Command("unshare", "-m", "sh", "-c", script, dir, fmt.Sprint(i))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("binding: %v: %s", err, out)
			}
		})
	}
	all.Wait()
}

// Two containers that bind the same file must never see each other's pages: one
// reads through the page cache (sendfile) while the other has just filled it.
func TestNoPageOfAnother(t *testing.T) {
	d := start(t)
	small := newBox(t, d, limits{memory: "268435456"}, nil)
	large := newBox(t, d, limits{memory: "536870912"}, nil)
	for range 20 {
		for b, want := range map[*box]uint64{small: 262144, large: 524288} {
			if got := field(t, b.run("busybox cat /proc/meminfo"), "MemTotal:"); got != want {
				t.Fatalf("MemTotal %d kB in a container of %d kB", got, want)
			}
		}
	}
	// And with a file kept open over there.
	small.run("(exec 3</proc/meminfo; busybox cat <&3; sleep 2) >/dev/null &")
	if got := field(t, large.run("busybox cat /proc/meminfo"), "MemTotal:"); got != 524288 {
		t.Errorf("MemTotal %d kB in a container of 524288 kB", got)
	}
}
