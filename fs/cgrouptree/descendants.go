package cgrouptree

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxDescendants is how many cgroups there may be in a top-level container for one
// more to be made through the tree. The kernel charges a cgroup's memory, 3 to 11 kB,
// to who makes it, and that is this process: to make it in the container's cgroup a
// process would have to enter that, where it can be frozen and killed, and may not be
// (a cgroup that is divided has none). So what is nobody's is bounded.
const maxDescendants = 2048

// descendants returns how many cgroups are in the top-level container that n is in,
// on v1 in this hierarchy and no more than maxDescendants. On v2 the kernel counts:
//
//	nr_descendants 12
//	nr_dying_descendants 0
func (n *node) descendants() int {
	name := n.scope.path
	if rel, ok := n.h.relative(n.scope.bound()); ok && rel != "" {
		name = rel
	}
	top, err := n.tree.at(n.h, scope{}, name)
	if err != nil {
		return 0 // it is gone, and n with it
	}
	defer top.close()
	if n.h.version != 2 {
		return countBelow(top.fd, maxDescendants)
	}
	fd, err := top.openFile("cgroup.stat", unix.O_RDONLY)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	buf := make([]byte, 512)
	size, err := unix.Read(fd, buf)
	if err != nil {
		return 0
	}
	return parseDescendants(buf[:size])
}

// countBelow returns how many directories are below one, at most enough. Their
// st_nlink says how many each has, so that only those that have any are opened.
func countBelow(dir, enough int) int {
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil || st.Nlink == 2 {
		return 0
	}
	count := int(st.Nlink) - 2 // cgroups(7)'s are those of kernfs, which counts
	if count >= enough {
		return enough
	}
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return count
	}
	list := os.NewFile(uintptr(fd), "cgroup")
	defer list.Close()
	entries, err := list.ReadDir(-1)
	for _, e := range entries {
		if err != nil || count >= enough {
			break
		}
		if !e.IsDir() {
			continue
		}
		if child, err := unix.Openat(fd, e.Name(), unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err == nil {
			count += countBelow(child, enough-count)
			unix.Close(child)
		}
	}
	return count
}

// parseDescendants returns the first number of cgroup.stat, 0 when it is not there.
func parseDescendants(text []byte) int {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("nr_descendants ")); ok {
			count, err := strconv.Atoi(string(bytes.TrimSpace(rest)))
			if err != nil {
				return 0
			}
			return count
		}
	}
	return 0
}
