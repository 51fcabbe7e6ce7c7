package cgrouptree

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxDescendants is how many cgroups there may be in a top-level container for one
// more to be made through the tree. The kernel charges a cgroup's memory, some 11 kB,
// to who makes it, and that is this process: to make it in the container's cgroup a
// process would have to enter that, where it can be frozen and killed, and may not be
// (a cgroup that is divided has none). So what is nobody's is bounded.
const maxDescendants = 2048

// descendants returns how many cgroups are in the top-level container that n is in.
// On v1, where nothing counts them, it is 0.
//
//	nr_descendants 12
//	nr_dying_descendants 0
func (n *node) descendants() int {
	if n.h.version != 2 {
		return 0
	}
	name := n.scope.path
	if rel, ok := n.h.relative(n.scope.bound()); ok && rel != "" {
		name = rel
	}
	top, err := n.tree.at(n.h, scope{}, name)
	if err != nil {
		return 0 // it is gone, and n with it
	}
	defer top.close()
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
