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

	"linuxcontainers.org/lxcfs/test/lib/ways"
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
	lines := strings.Count(want, "\n")
	for _, tt := range []struct{ name, command, want string }{
		{"cat", "cat $F", want},
		{"busybox cat", "busybox cat $F", want}, // sendfile
		{"cp", "cp $F $T/x && cat $T/x", want},
		{"busybox cp", "busybox cp $F $T/x && cat $T/x", want},
		{"install", "install $F $T/x && cat $T/x", want},
		{"dd", "dd if=$F bs=7 2>/dev/null", want},
		{"dd", "dd if=$F bs=4k 2>/dev/null", want},
		{"dd", "dd if=$F bs=4k iflag=direct 2>/dev/null", want},
		{"head", "head -c 20 $F", want[:20]},
		{"tail", "tail -n 1 $F | cat -s", lastLine(want)},
		{"tail", "tail -c 5 $F", want[len(want)-5:]},
		{"busybox tail", "busybox tail -n 1 $F | cat -s", lastLine(want)},
		{"busybox tail", "busybox tail -c 5 $F", want[len(want)-5:]},
		{"wc", "wc -c <$F", fmt.Sprintln(len(want))},
		{"wc", "wc -l <$F", fmt.Sprintln(lines)},
		{"busybox wc", "busybox wc -c <$F", fmt.Sprintln(len(want))},
		{"grep", "grep -c . $F", fmt.Sprintln(lines - strings.Count(want, "\n\n"))},
		{"sh", "while IFS= read -r l; do echo \"$l\"; done <$F", want},
		{"sort", "sort $F | grep -c processor", "1\n"},
		{"gzip", "gzip -c $F 2>/dev/null | gzip -dc", want},
		{"less", "less $F", want},
		{"diff", "diff $F /dev/null | grep -c '^<'", fmt.Sprintln(lines)},
		{"split", "split -b 100 $F $T/x. && cat $T/x.*", want},
		{"rg", "rg --no-config -c processor $F", "1\n"},
		{"python3", "python3 -c 'import os, shutil; shutil.copyfile(os.environ[\"F\"], os.environ[\"T\"] + \"/x\")' && cat $T/x", want},
		{"python3", "python3 -c 'import os; print(end=open(os.environ[\"F\"]).read())'", want},
		{"node", "node -e 'process.stdout.write(fs.readFileSync(process.env.F))'", want},
		// What looks at the size alone: nothing is there, as in procfs; and it ends.
		{"stat", "stat -c '%s %b' $F", "0 0\n"},
		{"du", "du $F | cut -f 1", "0\n"},
		{"tar", "tar -cPf $T/x $F && tar -xPOf $T/x", ""},
		{"busybox tar", "busybox tar -cf $T/x $F 2>/dev/null && busybox tar -xOf $T/x", ""},
		{"rsync", "rsync $F $T/x && stat -c %s $T/x", "0\n"},
		{"node", "node -e 'fs.copyFileSync(process.env.F, process.env.T + \"/x\")' && stat -c %s $T/x", "0\n"},
		{"ag", "ag processor $F || echo none", "none\n"},
		{"ag", "ag --nommap processor $F || echo none", "none\n"},
		{"git", "git hash-object $F", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n"},
		{"git", "git diff --no-index --numstat /dev/null $F | cut -f 1,2", "0\t0\n"},
		{"python3",
			"python3 -c 'import mmap, os; f = open(os.environ[\"F\"]); mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)' 2>&1 | tail -n 1",
			"ValueError: cannot mmap an empty file\n"},
		{"java", "cd $T && echo '" + transfer + "' >T.java && java T.java $F", "0\n"},
	} {
		t.Run(tt.command, func(t *testing.T) {
			name, applet, _ := strings.Cut(tt.name, " ")
			if _, err := exec.LookPath(name); err != nil {
				t.Skipf("needs %s; have: none", name)
			}
			if applet != "" && !strings.Contains(command(t, "busybox", "--list")+"\n", applet+"\n") {
				t.Skipf("needs busybox's %s; have: none", applet)
			}
			// 30: a command that does not end is no reason to wait for the test's own end.
			script := "export F=/proc/cpuinfo T=$(mktemp -d); timeout 30 sh -c '" + strings.ReplaceAll(tt.command, "'", `'\''`) +
				"'; s=$?; rm -rf $T; [ $s = 0 ] || echo status $s"
			if got := b.run(script); stable(got) != stable(tt.want) {
				t.Errorf("got %d bytes %.200q, want %d bytes %.80q", len(got), got, len(tt.want), tt.want)
			}
		})
	}
}

// transfer is a Java program that copies as much as the size says.
const transfer = `import java.nio.channels.*; import java.nio.file.*;
public class T {
	public static void main(String[] a) throws Exception {
		FileChannel in = FileChannel.open(Path.of(a[0]));
		FileChannel out = FileChannel.open(Path.of("x"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
		System.out.println(in.transferTo(0, in.size(), out));
	}
}`

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

// Every system call that programs read with gives the same bytes, after stat(2) and
// lseek(2) have asked for a size, which the kernel's inode could have been left with.
func TestSystemCallsToRead(t *testing.T) {
	d := start(t)
	for _, name := range []string{"proc/cpuinfo", "proc/swaps", "sys/devices/system/cpu/online"} {
		path := d.path(name)
		want := stable(mustRead(t, path))
		for _, w := range ways.All() {
			t.Run(name+" by "+w.Name, func(t *testing.T) {
				askSizes(t, path)
				got, err := w.Read(path)
				switch {
				case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
					t.Skipf("needs %s; have: %v", w.Name, err)
				case mayFail(w, err):
				case err != nil || stable(string(got)) != want:
					t.Errorf("got %d bytes %.60q, %v, want %d", len(got), got, err, len(want))
				}
			})
		}
	}
}

// askSizes asks for a file's size in each way.
func askSizes(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("stat: %+v, %v, want a size of 0", info, err)
	}
	end, err := f.Seek(0, io.SeekEnd)
	switch sysfs := strings.Contains(path, "/sys/"); {
	case sysfs && (err != nil || end != int64(os.Getpagesize())):
		t.Errorf("the end is at %d, %v, want %d as in sysfs", end, err, os.Getpagesize())
	case !sysfs && !errors.Is(err, unix.EINVAL):
		t.Errorf("the end is at %d, %v, want EINVAL as in procfs", end, err)
	}
}

// mayFail: the kernel refuses, and programs read instead. It would splice through
// the page cache (since 6.5), see uncached in package fs; it does not
// copy_file_range (since 5.19), as for procfs.
func mayFail(w ways.Way, err error) bool {
	switch {
	case w.Spliced():
		return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EIO)
	case w.Name == "copy_file_range":
		return errors.Is(err, unix.EXDEV)
	}
	return false
}

// A program that maps a file without a look at its size finds no page of another
// container; procfs has no mmap(2) at all.
func TestMapped(t *testing.T) {
	d := start(t)
	f, err := os.Open(d.path("proc/cpuinfo"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ, unix.MAP_SHARED); !errors.Is(err, unix.ENODEV) {
		t.Errorf("a shared mapping: %v, want ENODEV", err)
	}
	m, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(m)
	target, err := os.Create(filepath.Join(t.TempDir(), "copy"))
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if n, err := target.Write(m); !errors.Is(err, unix.EFAULT) {
		t.Errorf("%d bytes are mapped, %v", n, err)
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
	if before.Mode != unix.S_IFREG|0o444 || before.Uid != 0 || before.Size != 0 || before.Blocks != 0 {
		t.Errorf("proc/meminfo: mode %o, uid %d, size %d, %d blocks", before.Mode, before.Uid, before.Size, before.Blocks)
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
