package fs

import "github.com/hanwen/go-fuse/v2/fuse"

// ProtocolOptions are the go-fuse options that a [Tree] needs. Left out of what
// the kernel offers: READDIRPLUS, which makes a listing render every file;
// opening without an OPEN, which leaves out direct I/O; and what is for file
// systems with files below them.
func ProtocolOptions() fuse.MountOptions {
	return fuse.MountOptions{
		DisabledCapabilities: fuse.CAP_READDIRPLUS | fuse.CAP_NO_OPEN_SUPPORT | fuse.CAP_PASSTHROUGH | fuse.CAP_ALLOW_IDMAP,
	}
}
