package cgroup

import (
	"fmt"
	"slices"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// forgetter notes which of some directories it was told to forget.
type forgetter struct {
	hostfile.FS
	dirs, forgotten []string
}

func (f *forgetter) Forget(match func(string) bool) {
	for _, d := range f.dirs {
		if match(d) {
			f.forgotten = append(f.forgotten, d)
		}
	}
}

func TestForget(t *testing.T) {
	for _, tt := range []struct {
		host, cgroup string
		dirs, want   []string
	}{
		{"v1", "4:memory:/lxc/c1\n", []string{
			"/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/lxc", "/sys/fs/cgroup/memory/lxc/c1",
			"/sys/fs/cgroup/memory/lxc/c10", "/sys/fs/cgroup/memory/lxc/c1/in", "/sys/fs/cgroup/cpuset/lxc/c1",
		}, []string{"/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/lxc", "/sys/fs/cgroup/memory/lxc/c1"}},
		{"v2", "0::/lxc/c1\n", []string{"/sys/fs/cgroup/lxc", "/sys/fs/cgroup/lxc/c1"}, nil},
	} {
		t.Run(tt.host, func(t *testing.T) {
			h, a := captured(t, tt.host)
			f := &forgetter{FS: a, dirs: tt.dirs}
			h.FS = f
			m, err := ParseMembership([]byte(tt.cgroup))
			if err != nil {
				t.Fatal(err)
			}
			h.Forget(m)
			if !slices.Equal(f.forgotten, tt.want) {
				t.Errorf("got %q, want %q", f.forgotten, tt.want)
			}
		})
	}
}

// Release closes what is held of the cgroups and of those above, in both
// versions' hierarchies, and nothing else.
func TestRelease(t *testing.T) {
	for _, tt := range []struct {
		host, cgroup string
		dirs, want   []string
	}{
		{"v1", "4:memory:/lxc/c1\n", []string{
			"/sys/fs/cgroup/memory/lxc", "/sys/fs/cgroup/memory/lxc/c1", "/sys/fs/cgroup/memory/lxc/c2", "/sys/fs/cgroup/cpuset/lxc/c1",
		}, []string{"/sys/fs/cgroup/memory/lxc", "/sys/fs/cgroup/memory/lxc/c1"}},
		{"v2", "0::/lxc/c1\n", []string{
			"/sys/fs/cgroup", "/sys/fs/cgroup/lxc", "/sys/fs/cgroup/lxc/c1", "/sys/fs/cgroup/lxc/c1/in", "/sys/fs/cgroup/lxc/c10",
		}, []string{"/sys/fs/cgroup", "/sys/fs/cgroup/lxc", "/sys/fs/cgroup/lxc/c1"}},
	} {
		t.Run(tt.host, func(t *testing.T) {
			h, a := captured(t, tt.host)
			f := &forgetter{FS: a, dirs: tt.dirs}
			h.FS = f
			m, err := ParseMembership([]byte(tt.cgroup))
			if err != nil {
				t.Fatal(err)
			}
			h.dirs.names = make(map[dirKey]string)
			for _, dir := range tt.dirs {
				h.dirs.names[dirKey{path: dir}] = dir
			}
			h.Release(nil)
			if len(f.forgotten) > 0 {
				t.Errorf("for nobody %q", f.forgotten)
			}
			h.Release([]Membership{m})
			if !slices.Equal(f.forgotten, tt.want) {
				t.Errorf("got %q, want %q", f.forgotten, tt.want)
			}
			if left := len(h.dirs.names); left != len(tt.dirs)-len(tt.want) {
				t.Errorf("%d names left, want those of the others", left)
			}
		})
	}
}

func TestDirTable(t *testing.T) {
	h, _ := captured(t, "v2")
	for round := range 2 {
		for i := range maxDirs + 10 {
			path := fmt.Sprintf("/c%d", i)
			if dir, err := h.dirs.of(&h.Hierarchies[0], path); err != nil || dir != "/sys/fs/cgroup"+path {
				t.Fatalf("round %d: got %q, %v", round, dir, err)
			}
		}
	}
	if n := len(h.dirs.names); n > maxDirs {
		t.Errorf("%d names kept", n)
	}
	if _, err := h.dirs.of(&h.Hierarchies[0], "/../x"); err == nil {
		t.Error("a path outside: no error")
	}
}
