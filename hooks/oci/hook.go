package oci

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/hooks/bind"
	"linuxcontainers.org/lxcfs/units/mount"
)

// Bind binds what the tree serves over the files of the container whose root
// this is, each only where the container has it and the kernel serves it: a volume
// in its place stays. It goes on after an error and returns all of them.
func Bind(tree, root string) error {
	paths, err := bind.Served(os.DirFS(tree))
	if err != nil {
		return fmt.Errorf("%s: %w", tree, err)
	}
	dir, err := openRoot(root)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	mounts, err := readMounts()
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range paths {
		if err := mounts.bind(tree, dir, path); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// openRoot opens the container's root, which must not be this process's: its last
// part may be a symbolic link of somebody's.
func openRoot(root string) (int, error) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: root, Err: err}
	}
	var own, st unix.Stat_t
	err = errors.Join(unix.Stat("/", &own), unix.Fstat(dir, &st))
	if err == nil && own.Dev == st.Dev && own.Ino == st.Ino {
		err = errHostRoot
	}
	if err != nil {
		unix.Close(dir)
		return -1, fmt.Errorf("%s: %w", root, err)
	}
	return dir, nil
}

// mounts are those of this process's namespace, the container's, and the peer
// groups of the host's.
type mounts struct {
	table mount.Table
	host  map[int]bool
}

func readMounts() (mounts, error) {
	host, err := mount.ReadFile(hostfile.OS{}, "/proc/1/mountinfo")
	if err != nil {
		return mounts{}, err
	}
	own, err := mount.ReadFile(hostfile.OS{}, "/proc/self/mountinfo")
	return mounts{own, host.PeerGroups()}, err
}

// ErrShared is returned, wrapped, when a mount in the container would be one on
// the host as well: with /proc or /sys of the host as a volume that propagates.
var ErrShared = errors.New("its mounts are shared with the host's")

// bind binds one path, which the container need not have.
func (m mounts) bind(tree string, root int, path string) error {
	place, err := bind.Open(root, path)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(place)
	if of, err := m.kernels(place); !of || err != nil {
		return pathError(path, err)
	}
	clone, err := bind.Clone(tree, path)
	if err != nil {
		return err
	}
	defer unix.Close(clone)
	return bind.Move(clone, place, path)
}

// kernels: the place is a file of procfs or sysfs, and no mount there gets to the host.
func (m mounts) kernels(place int) (bool, error) {
	on, err := bind.MountOf(place)
	if err != nil {
		return false, err
	}
	found := false
	for _, e := range m.table {
		if !on.Is(e.Major, e.Minor, e.ID) {
			continue
		}
		if e.FSType != "proc" && e.FSType != "sysfs" {
			return false, nil
		}
		if m.host[e.Shared] {
			return false, ErrShared
		}
		found = true
	}
	return found, nil
}

func pathError(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", path, err)
}
