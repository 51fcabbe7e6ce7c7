package sys

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// As many blocks are seen as hold the container's memory, on the nodes where it
// is; they are online.
func TestVisibleBlocks(t *testing.T) {
	const mib = 1 << 20
	var online []memoryBlock
	for n := range 32 {
		online = append(online, memoryBlock{number: n + n/8, node: n / 8}) // a hole after each node
	}
	for _, tt := range []struct {
		name  string
		limit uint64
		nodes cgroup.CPUSet
		size  uint64
		want  []int
	}{
		{"one block of each node", 512 * mib, nil, 128 * mib, []int{0, 9, 18, 27}},
		{"rounded up", 512*mib + 4096, nil, 256 * mib, []int{9, 18, 27}},
		{"one node", 512 * mib, cgroup.CPUSetOf(2), 256 * mib, []int{18, 19}},
		{"less than a block", 4096, cgroup.CPUSetOf(1), 256 * mib, []int{9}},
		{"no size: all", 512 * mib, nil, 0, nil},
		{"no limit: all", cgroup.Max, nil, 256 * mib, nil},
	} {
		v := fourNodes()
		v.Memory.Limit.Value, v.Memory.Usage, v.Nodes, v.UsageByNode = tt.limit, 0, tt.nodes, nil
		seen, all := visibleBlocks(v, tt.size, online)
		if all != (tt.want == nil) || len(seen) != len(tt.want) {
			t.Errorf("%s: got %v, %t, want %v", tt.name, seen, all, tt.want)
		}
		for _, n := range tt.want {
			if !seen[n] {
				t.Errorf("%s: got %v, want %v", tt.name, seen, tt.want)
			}
		}
	}
	v := fourNodes()
	v.Host.Nodes = nil // no NUMA
	if seen, all := visibleBlocks(v, 128*mib, []memoryBlock{{3, -1}, {5, -1}, {6, -1}}); all || len(seen) != 2 || !seen[3] || !seen[5] {
		t.Errorf("no NUMA: got %v, %t", seen, all)
	}
}

// Memory that is plugged in while the daemon runs is found.
func TestNewBlocks(t *testing.T) {
	root := machine(t)
	w, err := newWalker(root)
	if err != nil {
		t.Fatal(err)
	}
	s := &system{walker: w, viewer: viewer}
	if size, online := s.hostBlocks(8000000 << 10); size != 512<<20 || len(online) != 15 {
		t.Fatalf("%d blocks of %d bytes, want 15 of 512 MiB", len(online), size)
	}
	dir := filepath.Join(root, "memory/memory16")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "state"), []byte("online\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, online := s.hostBlocks(8000000 << 10); len(online) != 16 || online[15] != (memoryBlock{16, -1}) {
		t.Errorf("got %+v", online)
	}
	if err := os.Chmod(filepath.Join(root, "memory/block_size_bytes"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "x\n", "0\n", "-8000000\n", "ffffffffffffffffff\n"} {
		if err := os.WriteFile(filepath.Join(root, "memory/block_size_bytes"), []byte(wrong), 0o644); err != nil {
			t.Fatal(err)
		}
		if size := s.blockSize(); size != 0 {
			t.Errorf("%q: %d bytes", wrong, size)
		}
	}
}

// A block that goes offline, which makes the host's memory less, is seen no more; two
// that change places are noticed after a while.
func TestBlockGoesOffline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := machine(t)
		w, err := newWalker(root)
		if err != nil {
			t.Fatal(err)
		}
		total := uint64(8000000 << 10)
		s := &system{walker: w, viewer: func(path string, c vfs.Caller, needs view.Needs, v *view.View) (bool, error) {
			defer func() { v.Host.Total = total }()
			return viewer(path, c, needs, v)
		}}
		sees := func(want ...int) {
			t.Helper()
			time.Sleep(time.Second)
			e := &systemVisibility{system: s, looker: looker{viewer: s.viewer, caller: vfs.Caller{TID: small}}}
			for n := range 16 {
				if got := e.seesBlock(n); got != slices.Contains(want, n) {
					t.Errorf("block %d: %t, want %v", n, got, want)
				}
			}
		}
		set := func(block int, state string) {
			if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("memory/memory%d/state", block)), []byte(state+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		sees(0, 2)
		set(2, "offline")
		total -= 512 << 20
		sees(0, 3)
		set(0, "offline")
		set(2, "online")
		time.Sleep(blockAge)
		sees(2, 3)
	})
}

// Visibility is made for one request, and looks once.
func TestBlocksOnce(t *testing.T) {
	w, err := newWalker(machine(t))
	if err != nil {
		t.Fatal(err)
	}
	looks := 0
	s := &system{walker: w, viewer: func(path string, c vfs.Caller, needs view.Needs, v *view.View) (bool, error) {
		looks++
		return viewer(path, c, needs, v)
	}}
	e := &systemVisibility{system: s, looker: looker{viewer: s.viewer, caller: vfs.Caller{TID: small}}}
	for n := range 16 {
		if got, want := e.seesBlock(n), n == 0 || n == 2; got != want {
			t.Errorf("block %d: %t, want %t", n, got, want)
		}
	}
	if looks != 1 {
		t.Errorf("%d looks, want 1", looks)
	}
}
