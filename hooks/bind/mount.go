package bind

import (
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// Clone returns a mount of one path of the tree (a name below it, or "." for
// all), attached nowhere yet: open_tree(2). The caller closes it; a clone that
// was not moved goes away with its descriptor.
//
// It is private: a clone of the host's mount joins that one's peer group, and
// what a container mounts in it would appear on the host and in all others. Before
// Linux 5.12, which can do that, the propagation of the caller's namespace decides.
func Clone(tree, name string) (int, error) {
	source := path.Join(tree, name)
	fd, err := unix.OpenTree(unix.AT_FDCWD, source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return -1, pathError("open_tree", source, err)
	}
	private := unix.MountAttr{Propagation: unix.MS_PRIVATE}
	err = unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &private)
	if err != nil && err != unix.ENOSYS {
		unix.Close(fd)
		return -1, pathError("mount_setattr", source, err)
	}
	return fd, nil
}

// Move attaches a clone on top of an opened place.
func Move(clone, place int, name string) error {
	err := unix.MoveMount(clone, "", place, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	return pathError("move_mount", name, err)
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: name, Err: err}
}
