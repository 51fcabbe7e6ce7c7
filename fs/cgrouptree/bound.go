package cgrouptree

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/container"
)

// A container's cgroup is that of its init. An init may move itself into a
// cgroup below, through this tree, and must still reach the others, as it would
// in a cgroup namespace. So before it is moved the container's cgroup is marked
// with who the init is, in an extended attribute, which later processes find as
// well (since Linux 5.7; without it the init is left with what it moved to). The
// tree takes no attributes from anybody.
const markAttribute = "user.lxcfs.container"

type boundKey struct {
	hierarchy uint64
	init      uint32
	start     uint64
}

// bound is the container's cgroup when the init is in the cgroup now.
type bound struct{ path, now string }

func (k boundKey) String() string {
	return strconv.FormatUint(uint64(k.init), 10) + " " + strconv.FormatUint(k.start, 10)
}

// bound returns the cgroup of a container whose init is in the cgroup now: the
// highest one from there up that has its mark, else that one.
func (t *Tree) bound(h *hierarchy, c *container.Container, now string) string {
	if c.InitPID == 0 || now == "" {
		return now
	}
	key := boundKey{h.number, c.InitPID, c.StartTicks}
	if b, ok := t.bounds.get(key); ok && b.now == now {
		return b.path
	}
	b := bound{now, now}
	for _, m := range t.marks(h, now) {
		if m.text == key.String() {
			b.path = m.path
			break
		}
	}
	t.remind(c.Top, key, b)
	return b.path
}

func (t *Tree) remind(top string, key boundKey, b bound) {
	t.bounds.put(top, key, b, len(b.path)+len(b.now))
}

// scopeByMark finds the container of a process that came into its pid namespace
// from outside (lxc-attach) and is above the cgroup that the init moved to: one
// with a mark is above the process, or is its cgroup, and the init that the mark
// tells of is below it and of that depth.
func (t *Tree) scopeByMark(tid uint32, h *hierarchy, depth int) (scope, bool) {
	now, err := t.cgroupOf(h, tid)
	if err != nil {
		return scope{}, false
	}
	var s scope
	for _, m := range slices.Backward(t.marks(h, now)) {
		if pid, start, ok := t.markedInit(h, m, depth); ok && (s.path == "" || pid == s.witness) {
			s = scope{path: m.path, witness: pid, container: &container.Container{InitPID: pid, StartTicks: start, PIDDepth: depth}}
		}
	}
	return s, s.path != ""
}

// markedInit returns the init that the mark of a cgroup tells of, if that lives
// and is below the cgroup.
func (t *Tree) markedInit(h *hierarchy, m mark, depth int) (pid uint32, start uint64, ok bool) {
	if n, _ := fmt.Sscanf(m.text, "%d %d", &pid, &start); n != 2 {
		return 0, 0, false
	}
	init, err := t.task(pid)
	if err != nil || init.depth() != depth || init.nstgid[depth-1] != 1 {
		return 0, 0, false
	}
	now, err := t.cgroupOf(h, pid)
	if err != nil || !isWithin(now, m.path) {
		return 0, 0, false
	}
	since, err := t.startTicks(pid)
	return pid, start, err == nil && since == start
}

// keepBound marks the container's cgroup before its init is moved to the cgroup
// called to. Without the mark only this process knows.
func (n *node) keepBound(to string) {
	c := n.scope.container
	key := boundKey{n.h.number, c.InitPID, c.StartTicks}
	n.tree.setMark(n.h, n.scope.path, key.String())
	n.tree.remind(n.scope.bound(), key, bound{n.scope.path, to})
}

func isWithin(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

// mark is that of a cgroup.
type mark struct{ path, text string }

// maxMarks bounds how many marks count of a cgroup and those above it. We make one
// for a container in another; who has the cgroups themselves may make more.
const maxMarks = 32

// marks returns those of a cgroup and the ones above it, the outermost first.
func (t *Tree) marks(h *hierarchy, name string) []mark {
	n, err := t.at(h, scope{}, "")
	if err != nil {
		return nil
	}
	defer func() { n.close() }()
	var marks []mark
	for c := range strings.SplitSeq(name, "/") {
		child, err := n.child(c)
		if err != nil || len(marks) == maxMarks {
			break
		}
		n.close()
		n = child
		if text := n.mark(); text != "" {
			marks = append(marks, mark{n.path, text})
		}
	}
	return marks
}

// mark returns the text of a cgroup's.
func (n *node) mark() string {
	fd, err := unix.Openat(n.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	var buf [64]byte
	size, err := unix.Fgetxattr(fd, markAttribute, buf[:])
	if err != nil {
		return ""
	}
	return string(buf[:size])
}

func (t *Tree) setMark(h *hierarchy, name, text string) {
	fd, err := t.openDir(h, name)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	_ = unix.Fsetxattr(fd, markAttribute, []byte(text), 0)
}

func (t *Tree) openDir(h *hierarchy, name string) (int, error) {
	n, err := t.at(h, scope{}, name)
	if err != nil {
		return -1, err
	}
	defer n.close()
	return unix.Openat(n.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}
