package bind

import (
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Clone returns a mount of one path of the tree (a name below it, or "." for
// all), attached nowhere yet: open_tree(2). The caller closes it; a clone that
// was not moved goes away with its descriptor.
func Clone(tree, name string) (int, error) {
	source := path.Join(tree, name)
	fd, err := unix.OpenTree(unix.AT_FDCWD, source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_SYMLINK_NOFOLLOW)
	return fd, pathError("open_tree", source, err)
}

// Open opens a path below the directory root as a place: O_PATH, which asks the
// file's filesystem for nothing. Symbolic links are not followed anywhere (an
// image decides where they go): ELOOP.
func Open(root int, name string) (int, error) {
	how := unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW,
		Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH,
	}
	for {
		fd, err := unix.Openat2(root, strings.TrimPrefix(name, "/"), &how)
		if err != unix.EINTR && err != unix.EAGAIN { // EAGAIN: something was renamed meanwhile
			return fd, pathError("open", name, err)
		}
	}
}

// Move attaches a clone on top of an opened place.
func Move(clone, place int, name string) error {
	err := unix.MoveMount(clone, "", place, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	return pathError("move_mount", name, err)
}

// Device returns st_dev of an opened place as mountinfo shows it, without
// asking its filesystem.
func Device(place int) (major, minor uint32, err error) {
	var st unix.Statx_t
	err = unix.Statx(place, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE, &st)
	return st.Dev_major, st.Dev_minor, os.NewSyscallError("statx", err)
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: name, Err: err}
}
