package fs

import (
	"math/bits"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// dirTimeout is for how long, in seconds, a kernel may keep a directory's entry
// and attributes: they never change.
const dirTimeout = 3600

// entryTimeout is 0 for files: each walk to one makes a LOOKUP and so a new
// inode, see nodeID.
func entryTimeout(n *node) uint64 { return attrTimeout(n) }

// attrTimeout is 0 for files: a short READ shrinks the kernel's idea of the
// size, and the GETATTR of the next open has to mend it.
func attrTimeout(n *node) uint64 {
	if n.file == nil {
		return dirTimeout
	}
	return 0
}

func mode(n *node) uint32 {
	switch {
	case n.index == rootIndex:
		return syscall.S_IFDIR | 0o755
	case n.file == nil:
		return syscall.S_IFDIR | 0o555
	}
	return syscall.S_IFREG | 0o444
}

// attr fills in what stat(2) shows. The inode number is the index, the same in
// every process and version; times are the host's boot, so that they don't jump.
func (t *Tree) attr(n *node, out *fuse.Attr) {
	out.Ino = uint64(n.index)
	out.Mode = mode(n)
	if _, ok := t.resource(n); ok {
		out.Mode |= 0o666 // as the kernel's
	}
	out.Nlink = 1
	out.Atime, out.Mtime, out.Ctime = t.bootTime, t.bootTime, t.bootTime
	out.Blksize = 4096
	if n.file == nil {
		out.Nlink = 2
		for _, c := range n.children {
			if c.file == nil {
				out.Nlink++
			}
		}
		return
	}
	out.Size = n.size
	out.Blksize = uint32(n.size)
	out.Blocks = n.size / 512 // fewer, and cp takes it for a sparse file and adds a hole
}

// Bounds of st_size and st_blksize, bytes.
const (
	minSize = 64 << 10
	maxSize = 16 << 20
)

// sizeFor returns the size to claim for a file whose host version has n bytes:
// a power of two above any content. A claimed 0 reads empty through sendfile
// and splice; size = blksize keeps `wc -c` from trusting the size.
func sizeFor(n int) uint64 {
	want := uint64(max(4*n, minSize))
	return min(uint64(1)<<bits.Len64(want-1), maxSize)
}
