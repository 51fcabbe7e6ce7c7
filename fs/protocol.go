package fs

import "github.com/hanwen/go-fuse/v2/fuse"

// ProtocolOptions are the go-fuse options that a [Tree] needs. Left out of what
// the kernel offers: READDIRPLUS, which makes a listing render every file;
// opening without an OPEN, which leaves out direct I/O; and what is for file
// systems with files below them.
//
// Asked for: ASYNC_DIO. Without it fuse_direct_IO (fs/fuse/file.c) does not move
// the position of a READ by io_uring, and Linux 6.18, which reads on after a
// short read, gets the start of the file again until the buffer is full. A
// connection keeps what it agreed on at its INIT; one of an earlier version has
// no ASYNC_DIO until it is mounted anew.
func ProtocolOptions() fuse.MountOptions {
	return fuse.MountOptions{
		ExtraCapabilities:    fuse.CAP_ASYNC_DIO,
		DisabledCapabilities: fuse.CAP_READDIRPLUS | fuse.CAP_NO_OPEN_SUPPORT | fuse.CAP_PASSTHROUGH | fuse.CAP_ALLOW_IDMAP,
	}
}
