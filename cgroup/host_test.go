package cgroup

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

// captured detects the hierarchies of a captured machine.
func captured(t testing.TB, name string) (*Host, *hosttest.Archive) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	a, err := hosttest.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	a.Errors = make(map[string]error)
	h, err := Detect(a)
	if err != nil {
		t.Fatal(err)
	}
	return h, a
}

func membership(t testing.TB, content string) Membership {
	t.Helper()
	m, err := ParseMembership([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// on returns the membership of a process with the same path everywhere.
func on(t testing.TB, path string) Membership {
	t.Helper()
	return membership(t, strings.ReplaceAll(
		"7:cpu,cpuacct:P\n6:pids:P\n5:blkio:P\n4:memory:P\n3:cpuset:P\n1:name=systemd:P\n0::P\n", "P", path))
}

func mustBe(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func TestDetect(t *testing.T) {
	const tmpfs = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
	const v2 = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	const memory = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	const systemd = "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd\n"
	tests := []struct {
		name, mountinfo string
		layout          Layout
		reason, points  string
	}{
		{"v2", "35 30 0:26 / /sys/fs/cgroup rw shared:4 master:1 - cgroup2 cgroup2 rw\n", V2,
			"cgroup2 at /sys/fs/cgroup; no v1 mount", "/sys/fs/cgroup"},
		{"hybrid", tmpfs + memory + v2, Hybrid,
			"cgroup2 at /sys/fs/cgroup/unified and v1 controllers memory", "/sys/fs/cgroup/memory /sys/fs/cgroup/unified"},
		{"v1", tmpfs + memory + systemd, V1,
			"no cgroup2 mount; v1 controllers memory", "/sys/fs/cgroup/memory /sys/fs/cgroup/systemd"},
		{"v2 with a named v1", tmpfs + v2 + systemd, V2,
			"cgroup2 at /sys/fs/cgroup/unified; v1 has no controller, only name=systemd", "/sys/fs/cgroup/unified /sys/fs/cgroup/systemd"},
		{"named v1 only", tmpfs + systemd, V1,
			"no cgroup2 mount and no v1 controller, only name=systemd", "/sys/fs/cgroup/systemd"},
		{"octal escapes", `35 30 0:26 / /a\040b\134\043\011\012c rw - cgroup2 cgroup2 rw` + "\n", V2,
			"cgroup2 at /a b\\#\t\nc; no v1 mount", "/a b\\#\t\nc"},
		{"the whole, not a part", "36 30 0:26 /lxc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n35 30 0:26 / /mnt rw - cgroup2 cgroup2 rw\n", V2,
			"cgroup2 at /mnt; no v1 mount", "/mnt"},
		{"the standard place", "36 30 0:26 / /mnt rw - cgroup2 cgroup2 rw\n35 30 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", V2,
			"cgroup2 at /sys/fs/cgroup; no v1 mount", "/sys/fs/cgroup"},
		{"hidden by a mount on it", tmpfs + memory + v2 + "50 35 0:50 / /sys/fs/cgroup/memory rw - tmpfs none rw\n", V2,
			"cgroup2 at /sys/fs/cgroup/unified; no v1 mount", "/sys/fs/cgroup/unified"},
		{"hidden by a mount above it", tmpfs + memory + "50 31 0:50 / /sys/fs/cgroup rw - tmpfs none rw\n51 50 0:38 / /sys/fs/cgroup/v2 rw - cgroup2 none rw\n", V2,
			"cgroup2 at /sys/fs/cgroup/v2; no v1 mount", "/sys/fs/cgroup/v2"},
		{"two at one place", tmpfs + v2 + "42 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", V2,
			"cgroup2 at /sys/fs/cgroup/unified; no v1 mount", "/sys/fs/cgroup/unified"},
		{"other's malformed line", "nonsense\n" + v2, V2,
			"cgroup2 at /sys/fs/cgroup/unified; no v1 mount", "/sys/fs/cgroup/unified"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, err := Detect(&hosttest.Archive{Files: map[string]string{mountinfo: tt.mountinfo}})
			if err != nil {
				t.Fatal(err)
			}
			var points []string
			for _, hi := range h.Hierarchies {
				points = append(points, hi.MountPoint)
			}
			if got := strings.Join(points, " "); h.Layout != tt.layout || h.Reason != tt.reason || got != tt.points {
				t.Errorf("got %v, %q, %q, want %v, %q, %q", h.Layout, h.Reason, got, tt.layout, tt.reason, tt.points)
			}
		})
	}
}

func TestDetectErrors(t *testing.T) {
	tests := []struct {
		name, mountinfo string
		want            error
	}{
		{"none", "1 0 8:1 / / rw - ext4 /dev/sda rw\n", fs.ErrNotExist},
		{"empty", "", fs.ErrNotExist},
		{"malformed", "x 0 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", ErrFormat},
		{"truncated", "35 30 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", ErrFormat},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Detect(&hosttest.Archive{Files: map[string]string{mountinfo: tt.mountinfo}})
			mustBe(t, err, tt.want)
		})
	}
	_, err := Detect(&hosttest.Archive{})
	mustBe(t, err, fs.ErrNotExist)
}

func TestLayoutString(t *testing.T) {
	for l, want := range map[Layout]string{V1: "v1", Hybrid: "hybrid", V2: "v2", 0: "unknown"} {
		if got := l.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestHierarchyDir(t *testing.T) {
	tests := []struct{ name, mountPoint, root, path, want string }{
		{"plain", "/sys/fs/cgroup", "/", "/a/b c", "/sys/fs/cgroup/a/b c"},
		{"root", "/sys/fs/cgroup", "/", "/", "/sys/fs/cgroup"},
		{"part", "/mnt", "/a", "/a/b", "/mnt/b"},
		{"part itself", "/mnt", "/a", "/a", "/mnt"},
		{"beside the part", "/mnt", "/a", "/ab", ""},
		{"above the part", "/mnt", "/a/b", "/a", ""},
		{"out of the namespace", "/mnt", "/", "/../x", ""},
		{"mounted from outside the namespace", "/mnt", "/..", "/../x", "/mnt/x"},
		{"name below an unknown parent", "/mnt", "/..", "/x", ""},
		{"further up", "/mnt", "/..", "/../../x", ""},
		{"leading dots are a name", "/mnt", "/", "/..x/.y", "/mnt/..x/.y"},
		{"relative", "/mnt", "/", "x", ""},
		{"empty", "/mnt", "/", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hi := Hierarchy{MountPoint: tt.mountPoint, Root: tt.root}
			got, err := hi.Dir(tt.path)
			if got != tt.want || (tt.want == "") != errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestHostDir(t *testing.T) {
	v1, _ := captured(t, "v1")
	v2, _ := captured(t, "v2")
	m := on(t, "/lxc/c1")
	tests := []struct {
		name, controller string
		host             *Host
		m                Membership
		dir              string
		version          int
	}{
		{"v2", "memory", v2, m, "/sys/fs/cgroup/lxc/c1", 2},
		{"v2 by v1 name", "blkio", v2, m, "/sys/fs/cgroup/lxc/c1", 2},
		{"v2 itself", "", v2, m, "/sys/fs/cgroup/lxc/c1", 2},
		{"v2 lacks it", "hugetlb", v2, m, "", 0},
		{"v1", "memory", v1, m, "/sys/fs/cgroup/memory/lxc/c1", 1},
		{"v1 mounted together", "cpuacct", v1, m, "/sys/fs/cgroup/cpu,cpuacct/lxc/c1", 1},
		{"v1 by v2 name", "io", v1, m, "/sys/fs/cgroup/blkio/lxc/c1", 1},
		{"named", "name=systemd", v1, m, "/sys/fs/cgroup/systemd/lxc/c1", 1},
		{"v2 of hybrid", "", v1, m, "/sys/fs/cgroup/unified/lxc/c1", 2},
		{"hybrid lacks it", "devices", v1, m, "", 0},
		{"not a member", "memory", v2, nil, "", 0},
		{"called deleted", "memory", v2, membership(t, "0::/lxc/c1 (deleted)\n"), "/sys/fs/cgroup/lxc/c1 (deleted)", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, version, err := tt.host.Dir(tt.m, tt.controller)
			if dir != tt.dir || tt.dir != "" && version != tt.version || (tt.dir == "") != errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got %q, %d, %v, want %q, %d", dir, version, err, tt.dir, tt.version)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	v1, _ := captured(t, "v1")
	v2, _ := captured(t, "v2")
	tests := []struct {
		name       string
		host       *Host
		in         string
		mountPoint string
		path       string
	}{
		{"v2", v2, "5:memory:/m\n1:name=systemd:/s\n0::/u\n", "/sys/fs/cgroup", "/u"},
		{"v2 root", v2, "0::/\n", "/sys/fs/cgroup", "/"},
		{"systemd", v1, "5:memory:/m\n1:name=systemd:/s\n0::/u\n", "/sys/fs/cgroup/systemd", "/s"},
		{"cgroup2", v1, "5:memory:/m\n1:name=systemd:/\n0::/u\n", "/sys/fs/cgroup/unified", "/u"},
		{"pids before memory", v1, "5:memory:/m\n6:pids:/p\n1:name=systemd:/\n0::/\n", "/sys/fs/cgroup/pids", "/p"},
		{"memory", v1, "5:memory:/m\n4:cpu,cpuacct:/c\n0::/\n", "/sys/fs/cgroup/memory", "/m"},
		{"cpu", v1, "5:memory:/\n4:cpu,cpuacct:/c\n0::/\n", "/sys/fs/cgroup/cpu,cpuacct", "/c"},
		{"cpuset is none", v1, "5:cpuset:/m\n0::/\n", "/sys/fs/cgroup/systemd", "/"},
		{"nothing", v1, "", "/sys/fs/cgroup/systemd", "/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hi, path := tt.host.Identity(membership(t, tt.in))
			if hi == nil || hi.MountPoint != tt.mountPoint || path != tt.path {
				t.Errorf("got %+v, %q, want %q, %q", hi, path, tt.mountPoint, tt.path)
			}
		})
	}
	if got, want := v1.IdentityDir("/lxc/c1"), "/sys/fs/cgroup/systemd/lxc/c1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := v1.IdentityDir("/lxc/old"), "/sys/fs/cgroup/cpu,cpuacct/lxc/old"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := v2.IdentityDir("/nowhere"); got != "" {
		t.Errorf("got %q, want none", got)
	}
}

func FuzzParseMountinfo(f *testing.F) {
	for _, name := range []string{"v1", "v2"} {
		_, a := captured(f, name)
		f.Add([]byte(a.Files[mountinfo]))
	}
	f.Add([]byte("1 1 0:1 / / rw - cgroup2 x rw\n2 1 0:1 / / rw - cgroup2 x rw\n1 2 0:1 / / rw - cgroup x rw,cpu\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Detect(&hosttest.Archive{Files: map[string]string{mountinfo: string(b)}})
		if err == nil && (len(h.Hierarchies) == 0 || h.Reason == "" || h.Layout.String() == "unknown") {
			t.Errorf("got %+v", h)
		}
	})
}
