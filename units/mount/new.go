package mount

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// probeTimeout bounds the check whether a mount that is there already is dead.
const probeTimeout = 2 * time.Second

// New mounts a new connection at the mountpoint, in the place of a dead mount of
// ours. It returns the connection and the resolved path. See [ProbeChild] for who
// may use it.
func New(ctx context.Context, mountpoint string, flags uintptr) (fd int, path string, err error) {
	path, err = ReplaceDead(ctx, hostfile.OS{}, mountpoint, ProbeChild(probeTimeout))
	if err != nil {
		return -1, "", err
	}
	if fd, err = OpenDevice(); err != nil {
		return -1, "", fmt.Errorf("%w (is the fuse module loaded?)", err)
	}
	if err := Mount(fd, "lxcfs", path, flags, Owner{}); err != nil {
		unix.Close(fd)
		return -1, "", err
	}
	return fd, path, nil
}
