package sys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// blockMachine makes the disks of a host as sysfs has them, and returns what
// blockDir is there.
func blockMachine(t *testing.T) string {
	t.Helper()
	sys := filepath.Join(t.TempDir(), "sys")
	root := filepath.Join(sys, "block")
	for name, content := range map[string]string{
		"stat": "       9        9        9        9        9        9        9        9        9        9        9\n", "inflight": "       3        4\n",
		"size": "2048\n", "queue/scheduler": "none\n", "queue/iosched/depth": "8\n", "mq/0/cpu_list": "0, 1\n", "trace/enable": "0\n",
		"part1/stat": "9\n", "part1/partition": "1\n", "part1/holders/dm-0": "", "part2/partition": "2\n", "part2/stat": "9\n", "loop/backing_file": "/img\n",
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

func diskstats(_ string, c vfs.Caller) ([]byte, error) {
	switch c.TID {
	case small, hung:
		return []byte(" 254       0 vda 77021 0 2666642 0 85901 0 103601447 0 0 0 0\n"), nil
	case apart:
		return []byte(" 104       0 cciss/c0d0 1 2 3 4 5 6 7 8 9 10 11\n   7       0 file 1 0 0 0 0 0 0 0 0 0 0\n"), nil
	case mighty:
		return []byte(" 254 0 vda 1 0 0 0 0 0 0 0 0 0 0\n 254 1 vda1 0 0 0 0 0 0 0 0 0 0 0\n 254 16 vdb 2 0 0 0 0 0 0 0 0 0 0\n 104 0 cciss/c0d0 0 0 0 0 0 0 0 0 0 0 0\n"), nil
	case mixed:
		return []byte(" 254 16 vdb 2 0 0 0 0 0 0 0 0 0 0\n 254 17 vdb1 0 0 0 0 0 0 0 0 0 0 0\n"), nil
	case host:
		return []byte(" 254 0 vda 9 9 9 9 9 9 9 9 9 9 9\n 254 1 vda1 9 9 9 9 9 9 9 9 9 9 9\n 254 16 vdb 9 9 9 9 9 9 9 9 9 9 9\n"), nil
	}
	return nil, errors.New("none for you")
}

// Further callers: one that may open vda, its first partition, and all of cciss,
// and used vdb; and one that used vdb and may open vdb's first partition.
const (
	mighty = 20
	mixed  = 21
)

// devices is what they may open.
func devices(_ string, c vfs.Caller, _ view.Needs, v *view.View) (bool, error) {
	switch c.TID {
	case host:
		return false, nil
	case hung:
		return false, unix.EBUSY
	case mighty:
		v.Devices = view.Devices{{Major: 254, Minor: 0}, {Major: 254, Minor: 1}, {Major: 104, Minor: cgroup.AnyNumber}}
	case mixed:
		v.Devices = view.Devices{{Major: 254, Minor: 17}}
	}
	return true, nil
}

func mountBlock(t *testing.T, root string) mounted {
	t.Helper()
	m, ok := blockTree(root, diskstats, devices)
	if !ok {
		t.Fatal("no tree")
	}
	return mounted{"block": m.Tree}
}

// A caller finds the disks of his /proc/diskstats: those that he may open in full,
// of others their attributes and queue.
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
	// Names in the directory of a disk and of a partition that may be opened.
	names := []string{"device", "inflight", "loop", "mq", "queue", "secret", "size", "stat", "trace"}
	full := func(disk string, partitions ...string) []string {
		dir := "block/" + disk + "/"
		all := []string{dir}
		link := func(at, name string) {
			if made(name) {
				all = append(all, dir+at+name)
			} else {
				all = append(all, dir+at+name+" -> /sys/devices/pci0/block/"+disk+"/"+at+name)
			}
		}
		for _, name := range names {
			if disk == "vda" || name != "device" && name != "secret" {
				link("", name)
			}
		}
		for _, p := range partitions {
			all = append(all, dir+p+"/")
			for _, name := range []string{"holders", "partition", "stat"} {
				if p == disk+"1" || name != "holders" {
					link(p+"/", name)
				}
			}
		}
		return all
	}
	part := []string{"block/vdb/vdb1/", "block/vdb/vdb1/holders -> /sys/devices/pci0/block/vdb/vdb1/holders",
		"block/vdb/vdb1/partition -> /sys/devices/pci0/block/vdb/vdb1/partition", "block/vdb/vdb1/stat"}
	for tid, want := range map[uint32][]string{small: of("vda"), apart: of("cciss!c0d0"), 99: nil,
		host:   slices.Concat(full("vda", "vda1"), full("vdb")),
		mighty: slices.Concat(full("cciss!c0d0"), full("vda", "vda1"), of("vdb")),
		mixed:  slices.Concat(of("vdb"), part),
	} {
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
		{mighty, "block/vda/stat", "       1        0        0        0        0        0        0        0        0        0        0\n"},
		{mighty, "block/vda/vda1/stat", "       0        0        0        0        0        0        0        0        0        0        0\n"},
		{mighty, "block/vda/inflight", "       0        0\n"},
		{mixed, "block/vdb/vdb1/stat", "       0        0        0        0        0        0        0        0        0        0        0\n"},
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
	c := vfs.Caller{TID: small}
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

// What is a file for one caller and a symlink for another are two nodes, for a
// node never changes its type; a successor knows both.
func TestBlockLinkKeys(t *testing.T) {
	root := blockMachine(t)
	first := mountBlock(t, root)
	_, file, attr, err := first.lookup(small, "block/vda/size")
	if err != nil || attr.Mode != unix.S_IFREG|0o444 {
		t.Fatalf("got %+v, %v", attr, err)
	}
	_, link, attr, err := first.lookup(mighty, "block/vda/size")
	const target = "/sys/devices/pci0/block/vda/size"
	if err != nil || attr.Mode != unix.S_IFLNK|0o777 || attr.Size != len(target) {
		t.Fatalf("got %+v, %v", attr, err)
	}
	if link == file || link>>(keyBits+1) != 0 {
		t.Errorf("keys %x, %x", link, file)
	}
	for _, tree := range []vfs.Tree{first["block"], mountBlock(t, root)["block"]} {
		for range 2 {
			if got, err := tree.(vfs.Linker).Target(vfs.Caller{TID: mighty}, link); err != nil || got != target {
				t.Errorf("got %q, %v", got, err)
			}
			if got, err := tree.Append(nil, vfs.Caller{TID: small}, file); err != nil || string(got) != "2048\n" {
				t.Errorf("got %q, %v", got, err)
			}
			if got, err := tree.Attr(vfs.Caller{TID: small}, link); !errors.Is(err, unix.ESTALE) {
				t.Errorf("the other's: got %+v, %v", got, err)
			}
			if got, err := tree.Attr(vfs.Caller{TID: mighty}, file); !errors.Is(err, unix.ESTALE) {
				t.Errorf("the other's: got %+v, %v", got, err)
			}
		}
	}
}

func TestNoBlock(t *testing.T) {
	if m, ok := blockTree(filepath.Join(t.TempDir(), "none"), diskstats, devices); ok {
		t.Errorf("got %+v", m)
	}
}
