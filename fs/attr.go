package fs

import (
	"math/bits"
	"os"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Timeouts in seconds. What the table has stays for ever, and so does all that is
// known of a directory. A file's attributes are never kept: stat(2) is to ask for
// what it shows, see shown.
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
	claim(n.size, out)
}

// A file has two sizes. stat(2) shows 0, as of procfs: programs then read until
// the end, map nothing and keep no hole. For any other size they wait for bytes
// that never come (node's copyFileSync), or map them and get SIGBUS, for no page of
// ours may be cached, see uncached, and FUSE can't refuse a private mapping. sysfs
// shows 4096, which has the first of these faults, and refuses to be mapped; so
// its files show 0 here too.
//
// The inode has a size above any content. With 0 there the kernel itself would
// find nothing: sendfile(2) and splice(2) since Linux 6.5 (filemap_splice_read),
// and AIO and io_uring (fuse_direct_IO) return 0 at and beyond it, and
// `busybox cat` believes them.
//
//	claim  LOOKUP, MKDIR and SETATTR set the inode's size
//	shown  GETATTR of stat(2) leaves it alone
//	end    GETATTR with a handle, of lseek(2), sets it to what it answers
//
// An inode that the kernel holds from an earlier version has its size already, 64
// KiB and more.

// Bounds of the inode's size and of st_blksize, bytes.
const (
	minSize = 64 << 10
	maxSize = 16 << 20
)

// sizeFor returns the size of the inode of a file whose host version has n
// bytes: a power of two above any content.
func sizeFor(n int) uint64 {
	want := uint64(max(4*n, minSize))
	return min(uint64(1)<<bits.Len64(want-1), maxSize)
}

// claim sets the size of an inode. It is st_blksize too, so that programs have a
// buffer for all of a file; and `wc -c` trusts no size that is a multiple of it.
func claim(size uint64, out *fuse.Attr) {
	out.Size, out.Blksize = size, uint32(size)
	out.Blocks = size / 512 // fewer, and cp takes it for a sparse file and adds a hole
}

// asked completes the attributes of a file whose kernel's own has that size, for
// who asks for them.
func (t *Tree) asked(in *fuse.GetAttrIn, size uint64, out *fuse.Attr) fuse.Status {
	if in.Flags()&fuse.FUSE_GETATTR_FH == 0 {
		t.shown(in.NodeId, out)
		return fuse.OK
	}
	h := t.handles.get(in.Fh(), in.NodeId)
	if h == nil {
		return fuse.EBADF
	}
	defer t.handles.put(h)
	return h.end(size, out)
}

// shown makes of an inode's attributes those that stat(2) shows. If the kernel
// can't be told to leave the inode alone they are the inode's.
func (t *Tree) shown(id uint64, out *fuse.Attr) {
	if t.expire != nil && t.expire(id) == nil {
		out.Size, out.Blocks = 0, 0
	}
}

// end answers where a file ends: lseek(2) with SEEK_END, SEEK_DATA or SEEK_HOLE
// asks. It is where the kernel's own file ends in sysfs (size), and EINVAL in
// procfs. One that is open for writing ends where its inode does, so that no error
// can come between O_APPEND and its file.
func (h *handle) end(size uint64, out *fuse.Attr) fuse.Status {
	switch {
	case h.opener != nil:
	case size == 0:
		return fuse.EINVAL
	default:
		out.Size = size
	}
	return fuse.OK
}

// end is where the kernel's own version of a file ends: after a page in sysfs, 0
// (nowhere) in procfs.
func (n *node) end() uint64 {
	if strings.HasPrefix(n.file.Path, "/sys/") {
		return uint64(os.Getpagesize())
	}
	return 0
}
