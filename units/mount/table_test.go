package mount

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

const mountinfoFile = "/proc/self/mountinfo"

const sampleTable = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
36 27 98:0 /mnt1 /mnt\0402 rw,noatime master:1 propagate_from:2 - ext3 /dev/root rw,errors=continue
151 27 0:52 / /var/lib/lxcfs rw,nosuid,nodev,relatime shared:93 - fuse.lxcfs lxcfs rw,user_id=0
152 151 0:53 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw
160 27 0:60 / /a rw - fuse.lxcfs lxcfs rw
161 160 0:61 / /a rw - tmpfs tmpfs rw
170 27 0:70 / /data rw - tmpfs tmpfs rw
171 27 254:0 /host /bind rw - ext4 /dev/vda rw
172 27 0:72 /sub /fusebind rw - fuse.sshfs x rw
`

func TestParseTable(t *testing.T) {
	table, err := ParseTable([]byte(sampleTable))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := table[1], (Entry{36, 27, 98, 0, "/mnt1", "/mnt 2", 0, "ext3"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := table[2].Shared; got != 93 {
		t.Errorf("got peer group %d, want 93", got)
	}
	for _, tt := range []struct {
		path  string
		minor uint32
		ours  bool
		found bool
	}{
		{"/var/lib/lxcfs", 53, true, true},
		{"/a", 61, false, true},
		{"/", 0, false, true},
		{"/mnt", 0, false, false},
		{"/var/lib/lxcfs/proc", 0, false, false},
	} {
		e, ok := table.At(tt.path)
		if ok != tt.found || e.Minor != tt.minor || e.Ours() != tt.ours {
			t.Errorf("%s: got %+v, %v, want %+v", tt.path, e, ok, tt)
		}
	}
	if got := len(table.Ours()); got != 3 {
		t.Errorf("got %d mounts of ours, want 3", got)
	}
}

// A sysfs mounted after an lxcfs below it, as systemd-nspawn does with a user
// namespace and settings that bind below /sys.
func TestReachable(t *testing.T) {
	const text = `106 90 0:30 / / rw - overlay overlay rw
108 106 0:41 / /sys ro - tmpfs tmpfs rw
146 108 0:38 /sys/devices/system/cpu /sys/devices/system/cpu ro - fuse.lxcfs lxcfs rw
147 146 0:70 / /sys/devices/system/cpu/inner rw - tmpfs t rw
194 108 0:49 /devices /sys/devices ro - sysfs sysfs ro
195 194 0:38 /sys/devices/system/node /sys/devices/system/node ro - fuse.lxcfs lxcfs rw
200 106 0:80 / /stack rw - tmpfs a rw
201 200 0:81 / /stack/in rw - tmpfs b rw
202 200 0:82 / /stack rw - tmpfs c rw
300 300 0:1 / /self rw - tmpfs d rw
500 501 0:90 / / rw - tmpfs e rw
502 501 0:91 / /under rw - tmpfs f rw
400 401 0:1 / /loop rw - tmpfs d rw
401 400 0:1 / /loop rw - tmpfs d rw
`
	table, err := ParseTable([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, e := range table.Reachable() {
		got = append(got, e.ID)
	}
	if want := []int{106, 108, 194, 195, 200, 202, 300, 500, 400, 401}; !slices.Equal(got, want) {
		t.Errorf("reachable mounts %v, want %v", got, want)
	}
}

func TestParseTableRefuses(t *testing.T) {
	for _, in := range []string{
		"\n", "36\n", "36 35 98:0 / /mnt rw ext3 /dev rw\n", "x 35 98:0 / /m rw - ext3 d rw\n",
		"36 35 98 / /m rw - ext3 d rw\n", "36 35 98:x / /m rw - ext3 d rw\n", "36 35 98:0 / m rw - ext3 d rw\n",
		"36 35 98:0 / /m - ext3 d rw\n", "36 35 99999999999:0 / /m rw - ext3 d rw\n", "36 35 98:0 / /m rw - ext3\n",
	} {
		if _, err := ParseTable([]byte(in)); !errors.Is(err, procpid.ErrFormat) {
			t.Errorf("%q: got %v, want ErrFormat", in, err)
		}
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add(sampleTable)
	f.Add(`1 1 0:0 / /\1\12\999\134 a - b c`)
	f.Fuzz(func(t *testing.T, in string) {
		table, err := ParseTable([]byte(in))
		if err != nil {
			return
		}
		for _, e := range table {
			if !strings.HasPrefix(e.MountPoint, "/") {
				t.Errorf("mountpoint %q", e.MountPoint)
			}
			table.At(e.MountPoint)
		}
		if some := table.Reachable(); len(some.Reachable()) != len(some) {
			t.Errorf("of the reachable %v some are not reachable", some)
		}
	})
}

func TestResolve(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.MkdirAll(dir+"/real/sub", 0o755), os.Symlink("real", dir+"/link"),
		os.Symlink(dir+"/link/sub", dir+"/abs"), os.Symlink("loop", dir+"/loop"), os.Symlink("../link/sub", dir+"/real/up"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	// The mount of ours exists in the table only: touching it would give ENOENT.
	table := Table{{ID: 5, Parent: 1, Root: "/", MountPoint: dir + "/real/ours", FSType: FSType}}
	for _, tt := range []struct{ in, want, err string }{
		{"/real/sub", "/real/sub", ""},
		{"/link/./sub/", "/real/sub", ""},
		{"/abs", "/real/sub", ""},
		{"/real/up", "/real/sub", ""},
		{"/link/ours", "/real/ours", ""},
		{"/link/ours/", "/real/ours", ""},
		{"/link/ours/proc", "", "is inside the lxcfs mount"},
		{"/loop", "", "too many levels"},
		{"/none", "", "no such file"},
	} {
		got, err := table.Resolve(dir + tt.in)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %q, %v, want error %q", tt.in, got, err, tt.err)
			}
		} else if err != nil || got != dir+tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.in, got, err, dir+tt.want)
		}
	}
	if _, err := table.Resolve(""); err == nil {
		t.Error("an empty path is accepted")
	}
}

func TestParseOptions(t *testing.T) {
	const base = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	for _, tt := range []struct {
		in    string
		flags uintptr
		lxcfs string
	}{
		{"", base, ""},
		{"rw", base, ""},
		{"ro,cpu=quota,noswap", base | unix.MS_RDONLY, "cpu=quota,noswap"},
		{"ro,rw,exec,suid,dev", unix.MS_NOSUID | unix.MS_NODEV, ""},
		{"noatime,relatime", base | unix.MS_RELATIME, ""},
		{"remount,nosymfollow", base | unix.MS_REMOUNT | unix.MS_NOSYMFOLLOW, ""},
		{"defaults,_netdev,nofail,x-systemd.requires=a,X-b,comment=c,allow_other,nonempty", base, ""},
		{"bogus,fd=3,cpu", base, "bogus,fd=3,cpu"},
	} {
		got, err := ParseOptions(tt.in)
		if err != nil || got != (Options{tt.flags, tt.lxcfs}) {
			t.Errorf("%q: got %+v, %v, want %x %q", tt.in, got, err, tt.flags, tt.lxcfs)
		}
	}
	if _, err := ParseOptions("ro\x00,x"); err == nil {
		t.Error("a NUL byte is accepted")
	}
}

func FuzzParseOptions(f *testing.F) {
	f.Add("ro,cpu=quota,,x-a,noexec")
	f.Fuzz(func(t *testing.T, in string) {
		o, err := ParseOptions(in)
		if err != nil {
			return
		}
		if o.Flags&(unix.MS_NOSUID|unix.MS_NODEV) != unix.MS_NOSUID|unix.MS_NODEV {
			t.Errorf("%q lifts nosuid or nodev", in)
		}
		if again, err := ParseOptions(o.Lxcfs); err != nil || again.Lxcfs != o.Lxcfs {
			t.Errorf("%q: %q is split again to %q", in, o.Lxcfs, again.Lxcfs)
		}
	})
}

func TestReplaceDeadDecides(t *testing.T) {
	fsys := &hosttest.Archive{Files: map[string]string{mountinfoFile: strings.ReplaceAll(sampleTable, "/data", "/tmp")}}
	refuse := func(context.Context, string) (bool, error) {
		t.Error("probe of a mount that is not ours")
		return true, nil
	}
	alive := func(context.Context, string) (bool, error) { return false, nil }
	broken := func(context.Context, string) (bool, error) { return false, errors.New("no child") }
	for _, tt := range []struct {
		path  string
		probe Prober
		want  string
	}{
		{"/var/lib/lxcfs", alive, "already mounted: lxcfs, and its connection is alive"},
		{"/var/lib/lxcfs", broken, "check of the lxcfs mount"},
		{"/tmp", refuse, "already mounted: a filesystem of type tmpfs, which is not ours to replace"},
	} {
		if tt.path == "/var/lib/lxcfs" {
			if _, err := os.Stat("/var/lib"); err != nil {
				continue
			}
		}
		_, err := ReplaceDead(context.Background(), fsys, tt.path, tt.probe)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.path, err, tt.want)
		}
	}
	table, err := ParseTable([]byte(sampleTable))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]State{"/bind": Free, "/fusebind": Foreign, "/nothing": Free, "/data": Foreign} {
		if got, _, err := Inspect(context.Background(), table, path, refuse); got != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", path, got, err, want)
		}
	}
}

// A mount that is gone when its check ends was not what was checked: that was the
// directory below it, which is alive. Seen when a stop of the mount met a start.
func TestReplaceDeadOfWhatGoes(t *testing.T) {
	const root = "22 1 0:20 / / rw - tmpfs none rw\n"
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	fsys := &hosttest.Archive{Files: map[string]string{
		mountinfoFile: root + "151 22 0:52 / " + dir + " rw - fuse.lxcfs lxcfs rw\n",
	}}
	probe := func(context.Context, string) (bool, error) {
		fsys.Files[mountinfoFile] = root
		return false, nil
	}
	if got, err := ReplaceDead(context.Background(), fsys, dir, probe); got != dir || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, dir)
	}
}
