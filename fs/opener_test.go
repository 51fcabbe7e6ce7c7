package fs

import (
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// Only the user who opened a file writes to it, in this process and the next.
func TestWriterIsOpener(t *testing.T) {
	store := newMemoryStore()
	newTree := func() *Tree {
		r := NewRenderer(Config{FS: archive(), Resolver: resolver{}, Switches: new(Switches)}, nil)
		return NewTree(r, store, vfs.Mount{Path: "/cgroup", KeyBits: 44, Tree: new(changeable)})
	}
	tree := newTree()
	header := func(uid uint32) fuse.InHeader {
		return fuse.InHeader{NodeId: treeBit | 2<<numberShift | 2, Caller: fuse.Caller{Owner: fuse.Owner{Uid: uid}}}
	}
	var forWrite, forRead fuse.OpenOut
	if got := tree.Open(nil, &fuse.OpenIn{InHeader: header(5), Flags: syscall.O_RDWR}, &forWrite); got != fuse.OK {
		t.Fatal(got)
	}
	if got := tree.Open(nil, &fuse.OpenIn{InHeader: header(5)}, &forRead); got != fuse.OK {
		t.Fatal(got)
	}
	if _, got := tree.Read(nil, &fuse.ReadIn{InHeader: header(5), Fh: forWrite.Fh, ReadFlags: fuse.READ_LOCKOWNER}, make([]byte, 2)); got != fuse.OK {
		t.Fatal(got)
	}
	for name, tree := range map[string]*Tree{"this process": tree, "the next": newTree()} {
		for _, tt := range []struct {
			name string
			uid  uint32
			fh   uint64
			want fuse.Status
		}{
			{"who opened it", 5, forWrite.Fh, fuse.OK},
			{"root, who was handed it", 0, forWrite.Fh, fuse.EPERM},
			{"opened for reading", 5, forRead.Fh, fuse.EPERM},
			{"never opened", 5, 1<<40 | 99, fuse.EPERM},
		} {
			if _, got := tree.Write(nil, &fuse.WriteIn{InHeader: header(tt.uid), Fh: tt.fh}, []byte("1")); got != tt.want {
				t.Errorf("%s, %s: %v, want %v", name, tt.name, got, tt.want)
			}
		}
	}
}
