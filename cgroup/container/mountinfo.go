package container

import (
	"bytes"
	"fmt"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
)

// rootMount is the mount at a process's "/".
type rootMount struct {
	id  uint64 // in one mount namespace only
	dev string // of the file system: "major:minor"
	dir string // in the file system, as mountinfo escapes it
}

// sameDir says whether both mounts show the same directory.
func (m rootMount) sameDir(other rootMount) bool { return m.dev == other.dev && m.dir == other.dir }

// parseRootMount returns the mount of "/" in /proc/PID/mountinfo,
// proc_pid_mountinfo(5):
//
//	27 1 0:24 / / rw,relatime shared:1 - ext4 /dev/root rw
//	23 27 0:22 / /sys rw,relatime - sysfs sysfs rw
//
// Every mount has an id of its own and is in one mount namespace, so equal ids
// mean the same mount namespace. Of mounts stacked on "/" the last one is seen.
// The content may end in the middle of a line.
func parseRootMount(content []byte) (rootMount, error) {
	var root [5][]byte // id, parent, major:minor, directory, mount point
	for line := range bytes.Lines(content) {
		var fields [5][]byte
		rest := line
		whole := true
		for i := range fields {
			var ok bool
			fields[i], rest, ok = bytes.Cut(rest, []byte(" "))
			whole = whole && ok
		}
		if whole && string(fields[4]) == "/" {
			root = fields
		}
	}
	if root[0] == nil {
		return rootMount{}, fmt.Errorf("%w: no mount at /: %q", cgroup.ErrFormat, head(content))
	}
	id, err := strconv.ParseUint(string(root[0]), 10, 64)
	if err != nil {
		return rootMount{}, fmt.Errorf("%w: mount id: %q", cgroup.ErrFormat, root[0])
	}
	return rootMount{id: id, dev: string(root[2]), dir: string(root[3])}, nil
}
