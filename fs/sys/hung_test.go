package sys

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// Of whom nothing can be said now, that one is not shown the host's: neither names
// that differ between callers, nor content.
func TestHungCallerSeesNoHost(t *testing.T) {
	m := mount(t, machine(t))
	blocks := mountBlock(t, blockMachine(t))
	blocks["cpu"], blocks["node"], blocks["memory"] = m["cpu"], m["node"], m["memory"]
	for _, path := range []string{
		"cpu/online", "cpu/cpu1/online", "cpu/cpu1/topology/thread_siblings_list", "node/online", "node/node0/meminfo",
		"node/node0/cpulist", "memory/memory0/state", "block/vda/size", "block/vda/stat",
	} {
		top, rest, _ := strings.Cut(path, "/")
		tree, at, names := blocks[top], vfs.Top, strings.Split(rest, "/")
		asHost := vfs.Caller{TID: host}
		for _, name := range names {
			key, _, err := tree.Lookup(asHost, at, name)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			at = key
		}
		if text, err := tree.Append(nil, vfs.Caller{TID: hung}, at); !errors.Is(err, unix.EBUSY) || len(text) > 0 {
			t.Errorf("%s: got %q, %v, want EBUSY", path, text, err)
		}
	}
	if entries, err := m["node"].List(vfs.Caller{TID: hung}, vfs.Top); !errors.Is(err, unix.EBUSY) {
		t.Errorf("node: got %v, %v, want EBUSY", entries, err)
	}
}
