package fs

import (
	"math/bits"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Timeouts in seconds. What the table has stays for ever, and so does all that is
// known of a directory. A file's attributes are never kept: lseek(SEEK_END) is
// to ask for the length, see GetAttr.
const (
	entryTimeout = 3600
	dirTimeout   = 3600
)

func attrTimeout(n *node) uint64 {
	if n.file == nil {
		return dirTimeout
	}
	return 0
}

// mode of what the table has; all of it is root's.
func (t *Tree) mode(n *node) uint32 {
	if _, ok := t.resource(n); ok {
		return mode(n) | 0o666 // as the kernel's
	}
	return mode(n)
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
	out.Mode = t.mode(n)
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
