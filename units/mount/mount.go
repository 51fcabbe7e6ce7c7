package mount

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Device is the kernel's FUSE device: character device 10:229.
const Device = "/dev/fuse"

// OpenDevice opens [Device]: one new, not yet mounted connection. The caller
// owns the descriptor, a raw int so that no finalizer ever closes a connection.
func OpenDevice() (int, error) {
	for {
		fd, err := unix.Open(Device, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, pathError("open", Device, err)
		}
	}
}

// Owner is the user and group that may use the connection's directory below
// /sys/fs/fuse/connections (its "waiting" and "abort" files). It says nothing
// about who may read the mount: everybody may, as far as file modes go.
type Owner struct{ UID, GID uint32 }

// Mount mounts the connection fd at mountpoint, mount(2). It returns at once:
// the kernel's INIT request then waits for somebody to read it from fd.
//
// allow_other lets containers in. Permissions are checked by who serves: with
// default_permissions the kernel would ask for the attributes before each open.
func Mount(fd int, source, mountpoint string, flags uintptr, owner Owner) error {
	data := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d,allow_other",
		fd, owner.UID, owner.GID)
	return pathError("mount", mountpoint, unix.Mount(source, mountpoint, FSType, flags&^unix.MS_REMOUNT, data))
}

// Remount changes the generic flags of the mount at mountpoint.
func Remount(mountpoint string, flags uintptr) error {
	return pathError("remount", mountpoint, unix.Mount("", mountpoint, "", flags|unix.MS_REMOUNT, ""))
}

// Unmount unmounts what is at mountpoint; EBUSY when it is in use. No request
// is sent to the connection (umount(2) stops before the mount, and only
// fuseblk has a DESTROY request), so a dead or unserved mount does not block it.
func Unmount(mountpoint string) error {
	return pathError("umount", mountpoint, unix.Unmount(mountpoint, unix.UMOUNT_NOFOLLOW))
}

// Detach is [Unmount] for a mount in use: it leaves the tree at once and goes
// away with its last user.
func Detach(mountpoint string) error {
	return pathError("umount", mountpoint, unix.Unmount(mountpoint, unix.UMOUNT_NOFOLLOW|unix.MNT_DETACH))
}

func pathError(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: path, Err: err}
}
