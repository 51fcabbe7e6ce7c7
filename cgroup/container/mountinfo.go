package container

import (
	"bytes"
	"fmt"

	"linuxcontainers.org/lxcfs/cgroup/procfs"
)

// rootMount is the mount at a process's "/".
type rootMount struct {
	id           int // in one mount namespace only
	major, minor uint32
	dir          string // in the file system, as mountinfo escapes it
}

// sameDir says whether both mounts show the same directory.
func (m rootMount) sameDir(other rootMount) bool {
	return m.major == other.major && m.minor == other.minor && m.dir == other.dir
}

// parseRootMount returns the mount of "/" in /proc/PID/mountinfo.
//
// Every mount has an id of its own and is in one mount namespace, so equal ids
// mean the same mount namespace. Of mounts stacked on "/" the last one is seen.
// The content may end in the middle of a line.
func parseRootMount(content []byte) (rootMount, error) {
	var root procfs.Mount
	for line := range bytes.Lines(content) {
		if m, err := procfs.ParseMount(line); err == nil && string(m.Point) == "/" {
			root = m
		}
	}
	if root.Point == nil {
		return rootMount{}, fmt.Errorf("%w: no mount at /: %.80q", procfs.ErrFormat, content)
	}
	return rootMount{root.ID, root.Major, root.Minor, string(root.Root)}, nil
}
