// Package vfs says what a tree of the served file system is: the frozen table of
// package fs, whose files are the same for everybody but for their content, and
// directories whose content is made by somebody else, for each caller. Package fs
// keeps everything that the kernel sees (node ids, handles, offsets, timeouts) and
// asks a [Tree] for the rest, in plain types.
//
// The package holds types only.
package vfs

import (
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/fs/view"
)

// Caller is who asks, from the request's header.
type Caller struct {
	// UID and GID are the caller's filesystem ids, in the host's numbering.
	UID, GID uint32
	// TID is the caller's thread id on the host; 0: not visible there.
	TID uint32
	// Replayed is true when a process that died may have carried out this
	// request already: a mkdir's EEXIST is then success.
	Replayed bool
	// Quiet is true when nobody reads: what fails is neither counted nor reported.
	Quiet bool
	// Resolved says that Decision and Err are what the resolver says of the caller, so
	// that a read asks it once. Only package fs looks at the three.
	Resolved bool
	Decision container.Decision
	Err      error
}

// Viewer fills in the parts of v that are needed for a caller, and returns false
// for one that sees the host. path is the file that it is for. An error is for a
// caller who is to see neither now.
type Viewer func(path string, c Caller, needs view.Needs, v *view.View) (bool, error)

// Key names a node to its [Tree], in as many bits as [Mount.KeyBits] says. It is
// a part of the node id that a kernel holds, and bind mounts hold node ids for
// years: a key must mean the same to every later process, which may never have
// looked it up. 0 is the top directory.
type Key uint64

// Top is the key of a tree's top directory.
const Top Key = 0

// Attr is what stat(2) shows of a node.
type Attr struct {
	Ino      uint64
	Mode     uint32 // S_IFDIR, S_IFREG or S_IFLNK, and permissions
	UID, GID uint32
	Nlink    uint32 // 0: 1, and 2 for a directory
	// Size is the length of a symlink's text. Of a file it is the st_size that the
	// kernel's own has, where lseek(SEEK_END) leads: 0 where the kernel says 0.
	Size int
	// Length is about how long a file's content is, bytes, if more than Size.
	Length int
	// Time is seconds since the epoch; 0: the host's boot.
	Time uint64
	// Fixed: the name leads here for everybody and for ever, so that the kernel may
	// keep it.
	Fixed bool
}

// Entry is a name in a directory. Of Attr only Ino and the type are used.
type Entry struct {
	Name string
	Ino  uint64
	Mode uint32
}

// Tree is a part of what is served. Package fs never asks it for "." and "..". All
// methods are called by many goroutines at once; errors hold a syscall.Errno,
// io/fs.ErrNotExist or io/fs.ErrPermission, any other is answered with EIO.
type Tree interface {
	// Lookup finds a name in a directory.
	Lookup(c Caller, dir Key, name string) (Key, Attr, error)
	// Attr returns the attributes of a node.
	Attr(c Caller, node Key) (Attr, error)
	// List returns the names in a directory, in a stable order.
	List(c Caller, dir Key) ([]Entry, error)
	// Open says whether a file may be opened, with the flags of open(2).
	Open(c Caller, file Key, flags uint32) error
	// Append appends a file's content to dst, and returns dst as it was with an
	// error; with a [*Fallback], dst and the host's text. It is called for a read
	// at offset 0; other offsets are served from the same bytes.
	Append(dst []byte, c Caller, file Key) ([]byte, error)
}

// Fallback is the error of [Tree.Append] for a file that the caller may read, but
// whose content for him could not be made from the host's: package fs answers
// with the host's text, counts and reports it. It is for files of numbers, never
// for a [Mutable] tree, and never for what a caller may not see: that stays an
// error of its own.
type Fallback struct {
	Path string // the file below the mount point
	Err  error  // what failed
}

func (f *Fallback) Error() string { return f.Err.Error() }
func (f *Fallback) Unwrap() error { return f.Err }

// Linker is a [Tree] with symlinks.
type Linker interface {
	// Target returns the text of a symlink.
	Target(c Caller, link Key) (string, error)
}

// Change is what chmod and chown ask for; nil is no change.
type Change struct {
	Mode     *uint32 // permissions only
	UID, GID *uint32
}

// MaxWrite is what is too long for one write, bytes: the kernel's own bound for
// interface files of cgroups (fs/kernfs/file.c).
const MaxWrite = 4096

// Mutable is a [Tree] that can be changed. All changes to any other one, and
// all that are not named here, are refused with EPERM; permissions are those that
// Attr says.
// The kernel checks no permissions: a Mutable does, in all its methods.
type Mutable interface {
	// Access says whether the caller has these permissions for a node: bits of
	// access(2), 4 to read, 2 to write, 1 to search a directory.
	Access(c Caller, node Key, want uint32) error
	// Write writes data to a file at an offset and returns how much it took. Data of
	// MaxWrite bytes or more is E2BIG.
	Write(c Caller, file Key, off uint64, data []byte) (int, error)
	// Change changes owner or mode.
	Change(c Caller, node Key, change Change) (Attr, error)
	// Mkdir makes a directory; mode is permissions with the umask applied.
	Mkdir(c Caller, dir Key, name string, mode uint32) (Key, Attr, error)
	// Rmdir removes one.
	Rmdir(c Caller, dir Key, name string) error
}

// Mount is where a [Tree] is served. Names that the frozen table of package fs has
// in that directory win.
type Mount struct {
	// Path is the top directory below the mount point, "/cgroup".
	Path string
	// KeyBits is how many bits a key may have, at most 44. It is frozen like the
	// keys.
	KeyBits uint
	Tree    Tree
}
