package hostfile

import (
	"errors"
	"io/fs"
)

// MaxSize is the longest content, in bytes, that [FS.Append] adds. The largest
// file read is /proc/cpuinfo: 1.7 KiB per CPU on x86, 8192 CPUs at most.
const MaxSize = 16 << 20

// ErrTooLarge is returned, wrapped with the file's name, for content longer
// than [MaxSize].
var ErrTooLarge = errors.New("file larger than 16 MiB")

// FS is a machine's file tree. All names are absolute paths as the host sees
// them; they are bytes, not UTF-8 (cgroup names may hold any byte but '/', '\n'
// and NUL). Implementations are safe for concurrent use.
//
// Errors satisfy errors.Is with fs.ErrNotExist, fs.ErrPermission, or the
// system's errno (syscall.ESRCH for a /proc file of a task that is gone,
// syscall.ENODEV for an interface file of a removed cgroup), and name the file.
type FS interface {
	// Append appends the whole content of the file to dst and returns the
	// extended slice. On error it returns dst unchanged.
	Append(dst []byte, name string) ([]byte, error)
	// ReadDir returns the names in a directory, without "." and "..", in the
	// order in which the kernel gives them.
	ReadDir(name string) ([]string, error)
	// Stat returns what is known of a file or directory; it follows symlinks.
	Stat(name string) (Info, error)
}

// Info is the part of stat(2) that lxcfs uses.
type Info struct {
	Dev   uint64
	Inode uint64
	UID   uint32
	GID   uint32
	Mode  fs.FileMode
}
