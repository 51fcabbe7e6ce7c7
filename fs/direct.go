package fs

import "github.com/hanwen/go-fuse/v2/fuse"

// uncached returns false for a READ that would fill the kernel's page cache. It
// belongs to the inode, which all containers share that bind the file: what one
// read would be the next one's numbers. Files are opened with FOPEN_DIRECT_IO,
// but splice(2), sendfile(2) (since Linux 6.5) and mmap(2) go through the page
// cache all the same; EINVAL has programs read(2) instead, as for any file that
// can't be spliced. Linux 7.3 (not 6.18) makes EIO of it, whatever we answer, for a
// page that was read in vain: most programs read(2) then too.
//
// Direct I/O brings the owner of the descriptors (fuse_send_read in
// fs/fuse/file.c), the page cache does not.
//
// An inode for each LOOKUP is no way out: it takes the name from the inode
// before, and mount(2) can bind nothing without a name (ENOENT), neither a file
// that two containers look up at once, nor the one that a container has over its
// /proc/meminfo.
func uncached(in *fuse.ReadIn) bool { return in.ReadFlags&fuse.READ_LOCKOWNER != 0 }
