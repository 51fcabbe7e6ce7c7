package cgroup

import (
	"bytes"
	"slices"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// parseMountinfo parses /proc/PID/mountinfo:
//
//	35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
//	30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
//
// A malformed line is an error when it is of a cgroup mount, and skipped when not:
// the mounts of others are not ours to refuse.
func parseMountinfo(content []byte) ([]procpid.Mount, error) {
	mounts := make([]procpid.Mount, 0, bytes.Count(content, []byte("\n")))
	for line := range bytes.Lines(content) {
		m, err := procpid.ParseMount(line)
		switch {
		case !bytes.HasSuffix(line, []byte("\n")):
			return nil, formatError(line)
		case err == nil:
			mounts = append(mounts, m)
		case bytes.Contains(line, []byte(" - cgroup")):
			return nil, err
		}
	}
	return mounts, nil
}

// visible reports whether m's mount point leads to m and not to a mount over it
// or over a directory above it. A mount hides what is below its mount point on
// the same parent mount.
func visible(mounts []procpid.Mount, m procpid.Mount) bool {
	covered := slices.ContainsFunc(mounts, func(o procpid.Mount) bool {
		return o.Parent == m.ID && o.ID != m.ID && bytes.Equal(o.Point, m.Point)
	})
	for depth := 0; !covered && depth < len(mounts); depth++ {
		covered = slices.ContainsFunc(mounts, func(o procpid.Mount) bool {
			return o.Parent == m.Parent && o.ID != m.ID && o.ID != o.Parent &&
				isBelow(string(m.Point), string(o.Point)) && !bytes.Equal(o.Point, m.Point)
		})
		i := slices.IndexFunc(mounts, func(o procpid.Mount) bool { return o.ID == m.Parent })
		if i < 0 || mounts[i].ID == m.ID {
			break
		}
		m = mounts[i]
	}
	return !covered
}

// isBelow reports whether the path is dir or below it.
func isBelow(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(dir, "/"))
	return ok && (rest == "" || rest[0] == '/')
}
