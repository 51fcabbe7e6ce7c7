package cgrouptree

import (
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/subtree"
)

// maxWrite is what the kernel takes in one write to an interface file.
const maxWrite = 4096

// Write writes to an interface file, all or nothing, as the kernel does. Who
// writes is judged once more: package fs lets a descriptor be used by the user
// who opened it only, but what that user may do can have changed.
func (t *Tree) Write(c subtree.Caller, file subtree.Key, _ uint64, data []byte) (int, error) {
	n, err := t.open(c, file)
	if err != nil {
		return 0, err
	}
	defer n.close()
	switch {
	case n.file == "":
		return 0, syscall.EISDIR
	case len(data) >= maxWrite:
		return 0, syscall.E2BIG
	case !n.cred.may(&n.stat, mayWrite):
		return 0, syscall.EACCES
	}
	if err := n.refused(); err != nil {
		return 0, err
	}
	if err := t.inFlight.enter(n.scope.path); err != nil {
		return 0, err
	}
	defer t.inFlight.leave(n.scope.path)
	if isList(n.file) {
		err = n.move(string(data))
	} else {
		err = n.write(data)
	}
	if err != nil {
		return 0, err
	}
	return len(data), nil
}

func (n *node) write(data []byte) error {
	fd, err := n.openFile(n.file, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for {
		_, err = unix.Write(fd, data)
		if err != unix.EINTR {
			break
		}
	}
	if err == nil && n.file == "cgroup.subtree_control" {
		n.adopt()
	}
	return err
}

// adopt gives the files that appeared in the cgroups right below to the caller,
// whose the kernel would have made them. Files of the container's that are
// root's on the host can only have appeared so.
func (n *node) adopt() {
	if n.cred.uid == 0 {
		return
	}
	list, err := readDir(n.fd, maxSearch)
	if err != nil {
		return
	}
	for _, e := range list {
		if !e.dir {
			continue
		}
		fd, err := openPath(n.fd, e.name)
		if err != nil {
			continue
		}
		giveFiles(fd, n.cred.uid, n.cred.gid)
		unix.Close(fd)
	}
}

// move moves a process or thread into the cgroup n.
func (n *node) move(text string) error {
	id, err := parseID(text)
	if err != nil {
		return err
	}
	ns := n.tree.namespace(n)
	if ns.depth == 0 {
		return syscall.EPERM
	}
	tid := ns.host(id)
	if tid == 0 {
		return syscall.ESRCH
	}
	t, err := n.tree.task(tid)
	if err != nil || !ns.shows(&t) {
		return syscall.ESRCH
	}
	if err := n.mayMove(tid, &t); err != nil {
		return err
	}
	// The number may be another's by now: look once more, as late as can be.
	if again, err := n.tree.task(tid); err != nil || again.tgid != t.tgid || again.uids != t.uids || !ns.shows(&again) {
		return syscall.ESRCH
	}
	if c := n.scope.container; c != nil && c.InitPID == t.tgid {
		n.keepBound(n.path)
	}
	return n.write(strconv.AppendUint(nil, uint64(tid), 10))
}

// parseID parses what is written to cgroup.procs: an id, or 0 for the writer.
func parseID(text string) (uint32, error) {
	id, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	if err != nil {
		return 0, syscall.EINVAL
	}
	return uint32(id), nil
}

// mayMove applies the kernel's rules for whose process may be moved, and one of
// ours: it must be in a cgroup of the container.
func (n *node) mayMove(tid uint32, t *task) error {
	from, err := n.tree.cgroupOf(n.h, tid)
	if err != nil {
		return syscall.ESRCH
	}
	if r := n.scope.relation(from); r != top && r != below {
		return syscall.EACCES
	}
	if n.h.version == 2 {
		return n.mayMoveFrom(from)
	}
	// kernel/cgroup/cgroup-v1.c, __cgroup1_procs_write; and root of a user
	// namespace may move what is in that.
	c := n.cred
	own := c.uid == 0 || c.uid == t.uids[0] || c.uid == t.uids[2]
	if !own && !(c.root() && c.uids.has(t.uids[0]) && c.uids.has(t.uids[2])) {
		return syscall.EACCES
	}
	return nil
}

// mayMoveFrom: the caller may write cgroup.procs of the nearest common ancestor
// (kernel/cgroup/cgroup.c, cgroup_procs_write_permission).
func (n *node) mayMoveFrom(from string) error {
	common, err := n.tree.at(n.h, n.scope, commonAncestor(n.path, from))
	if err != nil {
		return syscall.ESRCH
	}
	defer common.close()
	var st unix.Stat_t
	if err := unix.Fstatat(common.fd, "cgroup.procs", &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return syscall.EACCES
	}
	if !n.cred.may(&st, mayWrite) {
		return syscall.EACCES
	}
	return nil
}

// commonAncestor returns the longest path that is a and b, or above them.
func commonAncestor(a, b string) string {
	for a != b && !strings.HasPrefix(b, a+"/") {
		if a = parent(a); a == "" {
			return ""
		}
	}
	return a
}
