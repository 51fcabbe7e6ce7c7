package cgroup

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// mount is one line of /proc/self/mountinfo.
type mount struct {
	id, parent           int
	root, point          string
	fstype, superOptions string
}

// parseMountinfo parses /proc/PID/mountinfo, proc_pid_mountinfo(5):
//
//	35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
//	30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
//
// Between the mount options and "-" are any number of optional fields. Blanks,
// newlines, '#' and backslashes in paths are octal escapes. A malformed line is
// an error when it is of a cgroup mount, and skipped when not: the mounts of
// others are not ours to refuse.
func parseMountinfo(content []byte) ([]mount, error) {
	mounts := make([]mount, 0, bytes.Count(content, []byte("\n")))
	for len(content) > 0 {
		line, rest, terminated := cutLine(content)
		content = rest
		m, ok := parseMount(string(line))
		switch {
		case ok && terminated:
			mounts = append(mounts, m)
		case !terminated || bytes.Contains(line, []byte(" - cgroup")):
			return nil, formatError(line)
		}
	}
	return mounts, nil
}

func parseMount(line string) (m mount, ok bool) {
	head, tail, found := strings.Cut(line, " - ")
	h, t := strings.Split(head, " "), strings.Split(tail, " ")
	if !found || len(h) < 6 || len(t) != 3 {
		return m, false
	}
	var err1, err2 error
	m.id, err1 = strconv.Atoi(h[0])
	m.parent, err2 = strconv.Atoi(h[1])
	m.root, m.point = unescapeOctal(h[3]), unescapeOctal(h[4])
	m.fstype, m.superOptions = t[0], t[2]
	return m, err1 == nil && err2 == nil && strings.HasPrefix(m.root, "/") && strings.HasPrefix(m.point, "/")
}

// unescapeOctal undoes the \040 of the kernel's mangle_path (fs/seq_file.c).
func unescapeOctal(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out = append(out, byte(v))
				i += 3
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// visible reports whether m's mount point leads to m and not to a mount over it
// or over a directory above it. A mount hides what is below its mount point on
// the same parent mount.
func visible(mounts []mount, m mount) bool {
	covered := slices.ContainsFunc(mounts, func(o mount) bool {
		return o.parent == m.id && o.id != m.id && o.point == m.point
	})
	for depth := 0; !covered && depth < len(mounts); depth++ {
		covered = slices.ContainsFunc(mounts, func(o mount) bool {
			return o.parent == m.parent && o.id != m.id && o.id != o.parent && isBelow(m.point, o.point) && o.point != m.point
		})
		i := slices.IndexFunc(mounts, func(o mount) bool { return o.id == m.parent })
		if i < 0 || mounts[i].id == m.id {
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
