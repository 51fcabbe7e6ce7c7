package cgrouptree

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

func sorted(names []string) string {
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestSeen(t *testing.T) {
	w := newWorld(t)
	for _, h := range []string{"memory", "unified"} {
		for _, tt := range []struct {
			caller uint32
			name   string
			err    error
			bare   bool
		}{
			{1001, "", nil, true},
			{1001, "/box", nil, false},
			{1001, "/box/cgroup.procs", nil, false},
			{1001, "/box/app/deep/cgroup.procs", nil, false},
			{1001, "/box/in", nil, false},
			{1001, "/cgroup.procs", syscall.ENOENT, false},
			{1001, "/boxer", syscall.ENOENT, false},
			{1001, "/other", syscall.ENOENT, false},
			{1001, "/nothing", syscall.ENOENT, false},
			{1001, "/..", syscall.ENOENT, false},
			{1001, "/box/.", syscall.ENOENT, false},
			{1001, "/box/..", syscall.ENOENT, false},
			{1001, "/box/a\x00b", syscall.EINVAL, false},
			{1001, "/box/" + strings.Repeat("x", 256), syscall.ENAMETOOLONG, false},
			{1001, "/box/cgroup.procs/x", syscall.ENOTDIR, false},
			{1101, "/box", nil, true},
			{1101, "/box/in", nil, false},
			{1101, "/box/in/cgroup.procs", nil, false},
			{1101, "/box/cgroup.procs", syscall.ENOENT, false},
			{1101, "/box/app", syscall.ENOENT, false},
			{2001, "/box", syscall.ENOENT, false},
			{1700, "/box/app", nil, false},
			{1, "/other/sub", nil, false},
			{0, "", nil, true},
			{0, "/box", syscall.ENOENT, false},
			{999, "", syscall.ESRCH, false},
		} {
			_, a, err := w.walk(tt.caller, h+tt.name)
			if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Errorf("%d looks up %s%.20q: got %v, want %v", tt.caller, h, tt.name, err, tt.err)
			}
			if err == nil && tt.bare != (a.Mode == syscall.S_IFDIR|0o555 && a.UID == 0) {
				t.Errorf("%d: %s%s has mode %o", tt.caller, h, tt.name, a.Mode)
			}
		}
	}
}

func TestList(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		caller     uint32
		name, want string
	}{
		{1001, "memory", "box"},
		{1001, "memory/box", "app in"},
		{1001, "memory/box/app", "deep"},
		{1101, "unified/box", "in"},
		{1101, "unified/box/in", ""},
		{1, "unified", "box boxer other"},
		{0, "unified", ""},
	} {
		if got, err := w.list(tt.caller, tt.name); err != nil || got != tt.want {
			t.Errorf("%d lists %s: got %q, %v, want %q", tt.caller, tt.name, got, err, tt.want)
		}
	}
	top, err := w.tree.List(w.caller(1001), vfs.Top)
	if err != nil || len(top) != 2 || top[0].Name != "memory" || top[1].Name != "unified" {
		t.Errorf("top: %v, %v", top, err)
	}
}

// A container in the root cgroup of a hierarchy has no cgroup there.
func TestRootCgroupIsNobodys(t *testing.T) {
	w := newWorld(t)
	w.Files["/proc/2000/cgroup"] = "4:memory:/\n0::/\n"
	w.Files["/proc/2001/cgroup"] = "4:memory:/\n0::/\n"
	if got, err := w.list(2001, "memory"); err != nil || got != "" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, _, err := w.walk(2001, "memory/box"); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("got %v", err)
	}
	key := w.mustWalk(2001, "memory")
	if _, _, err := w.tree.Mkdir(w.caller(2001), key, "x", 0o755); !errors.Is(err, syscall.EPERM) {
		t.Errorf("mkdir: %v", err)
	}
}

// A key means the same to the next process, also when the cgroup was renamed,
// and nothing to a caller who may not see it.
func TestKeysLast(t *testing.T) {
	w := newWorld(t)
	deep, file := w.mustWalk(1001, "memory/box/app/deep"), w.mustWalk(1001, "memory/box/app/tasks")
	up := w.mustWalk(1101, "unified/box")
	if err := os.Rename(w.path("memory", "box/app"), w.path("memory", "box/new")); err != nil {
		t.Fatal(err)
	}
	for _, tree := range []*Tree{w.tree, w.newTree()} {
		for _, tt := range []struct {
			name   string
			caller uint32
			key    vfs.Key
			err    error
		}{
			{"a cgroup", 1001, deep, nil},
			{"a file", 1001, file, nil},
			{"on the way", 1101, up, nil},
			{"another's cgroup", 2001, deep, syscall.ENOENT},
			{"another's file", 2001, file, syscall.ENOENT},
			{"of the container around", 1101, file, syscall.ENOENT},
			{"another hierarchy", 1001, deep | 9<<inodeBits, syscall.ESTALE},
			{"not there", 1001, deep | 1<<38, syscall.ENOENT},
		} {
			if _, err := tree.Attr(w.caller(tt.caller), tt.key); !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Errorf("%s: got %v, want %v", tt.name, err, tt.err)
			}
		}
	}
	if err := os.RemoveAll(w.path("memory", "box/new/deep")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.tree.Attr(w.caller(1001), deep); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("removed: %v", err)
	}
}

// Another cgroup that takes the name of the container's is not the container's.
func TestContainerRenamed(t *testing.T) {
	w := newWorld(t)
	box := w.mustWalk(1001, "memory/box")
	reads := 0
	w.before = func(name string) {
		if name != "/proc/1000/cgroup" {
			return
		}
		if reads++; reads == 1 {
			os.Rename(w.path("memory", "box"), w.path("memory", "away"))
			os.Rename(w.path("memory", "other"), w.path("memory", "box"))
			w.Files["/proc/1000/cgroup"] = "4:memory:/away\n0::/box\n"
		}
	}
	if _, _, err := w.tree.Lookup(w.caller(1001), box, "sub"); err == nil {
		t.Error("looked into another's cgroup")
	}
	if reads == 0 {
		t.Error("nothing was renamed")
	}
}

// A symlink, which no cgroup hierarchy has, leads nowhere.
func TestSymlink(t *testing.T) {
	w := newWorld(t)
	if err := os.Symlink("../other", w.path("memory", "box/link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"memory/box/link", "memory/box/link/sub"} {
		if _, _, err := w.walk(1001, name); !errors.Is(err, syscall.ENOENT) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got, _ := w.list(1001, "memory/box"); got != "app in" {
		t.Errorf("listed %q", got)
	}
}

func TestHierarchyNames(t *testing.T) {
	for _, tt := range []struct {
		hi     cgroup.Hierarchy
		name   string
		number uint64
	}{
		{cgroup.Hierarchy{Version: 2, MountPoint: "/sys/fs/cgroup"}, "unified", 0},
		{cgroup.Hierarchy{Version: 1, Name: "systemd", MountPoint: "/sys/fs/cgroup/systemd"}, "systemd", 1},
		{cgroup.Hierarchy{Version: 1, Controllers: []string{"cpu", "cpuacct"}, MountPoint: "/sys/fs/cgroup/cpu,cpuacct"}, "cpu,cpuacct", 3},
		{cgroup.Hierarchy{Version: 1, Controllers: []string{"cpuacct", "cpu"}, MountPoint: "/elsewhere"}, "cpuacct,cpu", 3},
		{cgroup.Hierarchy{Version: 1, Controllers: []string{"pids"}, MountPoint: "/sys/fs/cgroup/pids"}, "pids", 13},
		{cgroup.Hierarchy{Version: 1, Controllers: []string{"debug"}, MountPoint: "/sys/fs/cgroup/debug"}, "debug", 17},
		{cgroup.Hierarchy{Version: 1, Name: "openrc", MountPoint: "/sys/fs/cgroup/openrc"}, "openrc", 19},
	} {
		number, ok := hierarchyNumber(&tt.hi)
		if got := servedName(&tt.hi); got != tt.name || !ok || number != tt.number {
			t.Errorf("%+v: got %s, %d, %v", tt.hi, got, number, ok)
		}
	}
	if _, ok := hierarchyNumber(&cgroup.Hierarchy{Version: 1, Name: "mine"}); ok {
		t.Error("a hierarchy without a number has one")
	}
}

func TestRelativePaths(t *testing.T) {
	for _, tt := range []struct {
		root, name, want string
		ok               bool
	}{
		{"/", "/", "", true}, {"/", "/a/b", "a/b", true}, {"/", "/../a", "", false}, {"/", "/a//b", "", false},
		{"/lxc", "/lxc", "", true}, {"/lxc", "/lxc/a", "a", true}, {"/lxc", "/lxcx/a", "", false}, {"/lxc", "/", "", false},
	} {
		h := &hierarchy{root: tt.root}
		if got, ok := h.relative(tt.name); got != tt.want || ok != tt.ok {
			t.Errorf("%s from %s: got %q, %v", tt.name, tt.root, got, ok)
		}
	}
}
