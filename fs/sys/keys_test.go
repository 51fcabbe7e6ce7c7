package sys

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// oneDisk is a source with one directory at a time, and a file in it.
type oneDisk struct {
	source
	disk string
	ino  uint64
}

func (d *oneDisk) name(path []string) string { return fmt.Sprint(path) }

func (d *oneDisk) stat(path []string) (info, error) {
	switch {
	case len(path) == 0:
		return info{ino: 1, mode: unix.S_IFDIR | 0o755}, nil
	case len(path) == 1 && path[0] == d.disk:
		return info{ino: d.ino, mode: unix.S_IFDIR | 0o755}, nil
	case len(path) == 2 && path[0] == d.disk && path[1] == "size":
		return info{ino: d.ino + 1, mode: unix.S_IFREG | 0o444}, nil
	}
	return info{}, fmt.Errorf("%v: %w", path, unix.ENOENT)
}

// everything is the visibility of the host.
type everything struct{ visibility }

func (everything) failed() error                        { return nil }
func (everything) sees(_ []string, i info) (info, bool) { return i, true }

// TestKeysOfGoneDevices: devices come, are looked at and go. What is kept of them
// is bounded, and what is there still is found.
func TestKeysOfGoneDevices(t *testing.T) {
	d := &oneDisk{}
	tr := &tree{source: d, keys: newKeys(), visibility: func(vfs.Caller) visibility { return everything{} }}
	for n := range 4 * keptKeys {
		d.disk, d.ino = fmt.Sprintf("loop%d", n%7), uint64(2*n+100)
		dir, _, err := tr.Lookup(vfs.Caller{}, vfs.Top, d.disk)
		if err != nil {
			t.Fatal(err)
		}
		file, _, err := tr.Lookup(vfs.Caller{}, dir, "size")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Attr(vfs.Caller{}, file); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(tr.keys.places); n > keptKeys {
		t.Errorf("%d keys are kept, want %d at most", n, keptKeys)
	}
}
