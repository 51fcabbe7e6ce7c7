package systree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/subtree"
)

// blockMachine makes the disks of a host as sysfs has them, and returns what
// BlockDir is there.
func blockMachine(t *testing.T) string {
	t.Helper()
	sys := filepath.Join(t.TempDir(), "sys")
	root := filepath.Join(sys, "block")
	for name, content := range map[string]string{
		"stat": "       9        9        9        9        9        9        9        9        9        9        9\n", "inflight": "       3        4\n",
		"size": "2048\n", "queue/scheduler": "none\n", "queue/iosched/depth": "8\n", "mq/0/cpu_list": "0, 1\n", "part1/stat": "9\n", "trace/enable": "0\n",
	} {
		for _, disk := range []string{"vda", "vdb", "cciss!c0d0"} {
			path := filepath.Join(sys, "devices/pci0/block", disk, strings.Replace(name, "part", disk, 1))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(sys, "devices/pci0/block/vda/secret")
	for _, err := range []error{
		os.Symlink("../devices/pci0/block/vda", filepath.Join(root, "vda")),
		os.Symlink("../devices/pci0/block/vdb", filepath.Join(root, "vdb")),
		os.Symlink("../devices/pci0/block/cciss!c0d0", filepath.Join(root, "cciss!c0d0")),
		os.Symlink("../../../pci0", filepath.Join(sys, "devices/pci0/block/vda/device")),
		os.Symlink("../../../..", filepath.Join(sys, "devices/pci0/block/vda/queue/up")),
		os.WriteFile(secret, nil, 0o600), os.Chmod(secret, 0o600),
		os.WriteFile(filepath.Join(root, "file"), nil, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func diskstats(tid uint32) ([]byte, error) {
	switch tid {
	case small:
		return []byte(" 254       0 vda 77021 0 2666642 0 85901 0 103601447 0 0 0 0\n"), nil
	case apart:
		return []byte(" 104       0 cciss/c0d0 1 2 3 4 5 6 7 8 9 10 11\n   7       0 file 1 0 0 0 0 0 0 0 0 0 0\n"), nil
	case host:
		return []byte(" 254 0 vda 9 9 9 9 9 9 9 9 9 9 9\n 254 1 vda1 9 9 9 9 9 9 9 9 9 9 9\n 254 16 vdb 9 9 9 9 9 9 9 9 9 9 9\n"), nil
	}
	return nil, errors.New("none for you")
}

func mountBlock(t *testing.T, root string) mounted {
	t.Helper()
	m, ok := Block(root, diskstats)
	if !ok {
		t.Fatal("no tree")
	}
	return mounted{"block": m.Tree}
}

// A caller finds the disks of his /proc/diskstats, their attributes and queue.
func TestBlockFind(t *testing.T) {
	m := mountBlock(t, blockMachine(t))
	of := func(disks ...string) (all []string) {
		for _, d := range disks {
			for _, name := range []string{"", "inflight", "queue/", "queue/iosched/", "queue/iosched/depth", "queue/scheduler", "size", "stat"} {
				all = append(all, "block/"+d+"/"+name)
			}
		}
		return all
	}
	for tid, want := range map[uint32][]string{small: of("vda"), apart: of("cciss!c0d0"), host: of("vda", "vdb"), 99: nil} {
		if got := m.find(t, tid, "block"); !slices.Equal(got, want) {
			t.Errorf("%d: got %q, want %q", tid, got, want)
		}
	}
}

func TestBlockContent(t *testing.T) {
	m := mountBlock(t, blockMachine(t))
	for _, tt := range []struct {
		tid        uint32
		path, want string
	}{
		{small, "block/vda/stat", "   77021        0  2666642        0    85901        0 103601447        0        0        0        0\n"},
		{apart, "block/cciss!c0d0/stat", "       1        2        3        4        5        6        7        8        9       10       11\n"},
		{host, "block/vdb/stat", "       9        9        9        9        9        9        9        9        9        9        9\n"},
		{small, "block/vda/inflight", "       0        0\n"},
		{small, "block/vda/size", "2048\n"},
		{small, "block/vda/queue/scheduler", "none\n"},
	} {
		if got, err := m.read(tt.tid, tt.path); got != tt.want || err != nil {
			t.Errorf("%s for %d: got %q, %v, want %q", tt.path, tt.tid, got, err, tt.want)
		}
	}
}

func TestBlockEscapes(t *testing.T) {
	m := mountBlock(t, blockMachine(t))
	for _, path := range []string{
		"block/vdb", "block/vdb/stat", "block/vda/device", "block/vda/queue/up", "block/vda/queue/up/secret", "block/vda/secret", "block/vda/vda1",
		"block/vda/vda1/stat", "block/vda/mq", "block/vda/mq/0/cpu_list", "block/vda/trace/enable", "block/..", "block/.", "block/vda/..",
		"block/vda/../../devices", "block/file", "block/file/stat", "block/vda\x00", "block/none", "block/vda/none",
	} {
		if _, key, attr, err := m.lookup(small, path); err == nil {
			t.Errorf("%s: found as %d, %+v", path, key, attr)
		}
	}
	for _, path := range []string{"block/file", "block/vda"} {
		if _, key, attr, err := m.lookup(apart, path); err == nil {
			t.Errorf("%s: found as %d, %+v", path, key, attr)
		}
	}
}

// A disk that comes again is another one; a successor knows the keys of both.
func TestBlockReplaced(t *testing.T) {
	root := blockMachine(t)
	first := mountBlock(t, root)
	tree, key, attr, err := first.lookup(small, "block/vda/stat")
	if err != nil {
		t.Fatal(err)
	}
	c := subtree.Caller{TID: small}
	if got, err := mountBlock(t, root)["block"].Attr(c, key); err != nil || got != attr {
		t.Errorf("a successor: got %+v, %v, want %+v", got, err, attr)
	}
	dir := filepath.Join(filepath.Dir(root), "devices/pci0/block/vda")
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	if text, err := tree.Append(nil, c, key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a disk that is gone: got %q, %v", text, err)
	}
	if err := os.Rename(filepath.Join(filepath.Dir(dir), "vdb"), dir); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if text, err := tree.Append(nil, c, key); !errors.Is(err, unix.ESTALE) {
			t.Errorf("another disk of that name: got %q, %v", text, err)
		}
	}
	if text, err := first.read(small, "block/vda/stat"); err != nil {
		t.Errorf("it, looked up anew: got %q, %v", text, err)
	}
}

func TestNoBlock(t *testing.T) {
	if m, ok := Block(filepath.Join(t.TempDir(), "none"), diskstats); ok {
		t.Errorf("got %+v", m)
	}
}
