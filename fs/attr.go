package fs

import (
	"math/bits"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// timeout is how long, in seconds, the kernel may keep what stays as it is: names
// of the table, and all that is known of its directories. A file's attributes are
// never kept: stat(2) is to ask for what it shows, see shown. Nothing of another
// tree is: who asks next may be somebody else.
const timeout = 3600

// entry fills in the answer to a LOOKUP or MKDIR.
func (t *Tree) entry(p place, a vfs.Attr, out *fuse.EntryOut) {
	*out = fuse.EntryOut{NodeId: p.id()}
	out.AttrValid = t.attr(a, &out.Attr)
	if a.Fixed {
		out.EntryValid = timeout
	}
}

// attr fills in what stat(2) shows, and returns how long that is valid.
func (t *Tree) attr(a vfs.Attr, out *fuse.Attr) (valid uint64) {
	out.Ino, out.Mode, out.Nlink = a.Ino, a.Mode, a.Nlink
	out.Owner = fuse.Owner{Uid: a.UID, Gid: a.GID}
	seconds := a.Time
	if seconds == 0 {
		seconds = t.bootTime // which does not jump
	}
	out.Atime, out.Mtime, out.Ctime = seconds, seconds, seconds
	out.Blksize = 4096
	links := uint32(1)
	switch a.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
		claim(sizeFor(max(a.Length, a.Size)), out)
	case syscall.S_IFLNK:
		out.Size = uint64(a.Size)
	case syscall.S_IFDIR:
		links = 2
		if a.Fixed {
			valid = timeout
		}
	}
	if out.Nlink == 0 {
		out.Nlink = links
	}
	return valid
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
