package container

import (
	"bytes"
	"fmt"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
)

// parseRootMount returns the mount id of "/" in /proc/PID/mountinfo,
// proc_pid_mountinfo(5):
//
//	27 1 0:24 / / rw,relatime shared:1 - ext4 /dev/root rw
//	23 27 0:22 / /sys rw,relatime - sysfs sysfs rw
//
// Every mount has an id of its own and is in one mount namespace, so equal ids
// mean the same mount namespace. Of mounts stacked on "/" the last one is seen.
func parseRootMount(content []byte) (uint64, error) {
	var root []byte
	for line := range bytes.Lines(content) {
		var id []byte
		rest := line
		for i := range 5 {
			var field []byte
			field, rest, _ = bytes.Cut(rest, []byte(" "))
			if i == 0 {
				id = field
			} else if i == 4 && string(field) == "/" {
				root = id
			}
		}
	}
	if root == nil {
		return 0, fmt.Errorf("%w: no mount at /: %q", cgroup.ErrFormat, head(content))
	}
	id, err := strconv.ParseUint(string(root), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: mount id: %q", cgroup.ErrFormat, root)
	}
	return id, nil
}
