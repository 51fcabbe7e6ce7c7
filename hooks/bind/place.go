package bind

import (
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// openHow says how a path is opened: as a place, O_PATH, which asks the file's
// filesystem for nothing, and no symbolic link is followed anywhere (an image
// decides where they go): ELOOP.
func openHow() unix.OpenHow {
	return unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW,
		Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH,
	}
}

// Open opens a path below the directory root as a place to mount on.
func Open(root int, name string) (int, error) { return open(root, name, openHow()) }

// OpenWithin opens a path below a directory, which has to be on the directory's
// own mount: EXDEV if something was mounted on the way.
func OpenWithin(dir int, name string) (int, error) {
	how := openHow()
	how.Resolve |= unix.RESOLVE_NO_XDEV
	return open(dir, name, how)
}

func open(dir int, name string, how unix.OpenHow) (int, error) {
	below := strings.TrimPrefix(path.Clean("/"+name), "/")
	if below == "" {
		below = "."
	}
	for {
		fd, err := unix.Openat2(dir, below, &how)
		if err != unix.EINTR && err != unix.EAGAIN { // EAGAIN: something was renamed meanwhile
			return fd, pathError("open", name, err)
		}
	}
}

// Mount is the mount that an opened place is on.
type Mount struct {
	// Major and Minor are st_dev as mountinfo shows it.
	Major, Minor uint32
	// ID is the mount's; 0 before Linux 5.8, which does not say.
	ID int
}

// MountOf looks at a place, without a question to its filesystem: what a
// container mounted may never answer.
func MountOf(place int) (Mount, error) {
	var st unix.Statx_t
	// A mask of 0: FUSE refuses others to whom the mount is not allowed.
	err := unix.Statx(place, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, 0, &st)
	if err != nil {
		return Mount{}, os.NewSyscallError("statx", err)
	}
	m := Mount{Major: st.Dev_major, Minor: st.Dev_minor}
	if st.Mask&unix.STATX_MNT_ID != 0 {
		m.ID = int(st.Mnt_id)
	}
	return m, nil
}

// Is reports whether it is the mount that mountinfo shows so.
func (m Mount) Is(major, minor uint32, id int) bool {
	return m.Major == major && m.Minor == minor && (m.ID == 0 || m.ID == id)
}
