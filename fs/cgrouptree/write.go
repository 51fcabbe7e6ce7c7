package cgrouptree

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// Write writes to an interface file, all or nothing, as the kernel does. Who
// writes is judged once more: package fs lets a descriptor be used by the user
// who opened it only, but what that user may do can have changed.
func (t *Tree) Write(c vfs.Caller, file vfs.Key, _ uint64, data []byte) (int, error) {
	n, err := t.open(c, file)
	if err != nil {
		return 0, err
	}
	defer n.close()
	switch {
	case n.file == "":
		return 0, syscall.EISDIR
	case len(data) >= vfs.MaxWrite:
		return 0, syscall.E2BIG
	case !n.cred.may(&n.stat, mayWrite):
		return 0, syscall.EACCES
	}
	if err := n.refused(); err != nil {
		return 0, err
	}
	if err := t.inFlight.enter(n.scope.bound()); err != nil {
		return 0, err
	}
	defer t.inFlight.leave(n.scope.bound())
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
	if n.file != "cgroup.subtree_control" || n.cred.uid == 0 && n.cred.gid == 0 {
		return writeAll(fd, data)
	}
	before := n.generation()
	if err = writeAll(fd, data); err == nil {
		n.adopt(before)
	}
	return err
}

func writeAll(fd int, data []byte) error {
	for {
		if _, err := unix.Write(fd, data); err != unix.EINTR {
			return err
		}
	}
}

// generation is the cgroups right below one, and the files that any of them has.
type generation struct {
	cgroups map[string]uint64 // inodes by name
	files   map[string]bool
}

func (n *node) generation() generation {
	g := generation{make(map[string]uint64), make(map[string]bool)}
	list, err := readDir(n.fd, maxSearch)
	if err != nil {
		return g
	}
	for _, e := range list {
		if !isDir(e) {
			continue
		}
		fd, err := openPath(n.fd, e.Name)
		if err != nil {
			continue
		}
		files, err := readDir(fd, maxSearch)
		unix.Close(fd)
		if err != nil {
			continue
		}
		g.cgroups[e.Name] = e.Ino
		for _, f := range files {
			g.files[f.Name] = true
		}
	}
	return g
}

// adopt gives the files that appeared in the cgroups right below to the caller,
// whose the kernel would have made them: those of controllers that were enabled
// now, and no others, for such a cgroup may be another user's or root's. One that
// was made meanwhile is left alone.
func (n *node) adopt(before generation) {
	for name, ino := range before.cgroups {
		fd, err := openPath(n.fd, name)
		if err != nil {
			continue
		}
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Ino == ino {
			giveFiles(fd, n.cred.uid, n.cred.gid, before.files)
		}
		unix.Close(fd)
	}
}

// move moves a process or thread into the cgroup n. The kernel takes a number, which
// may be another's by the time: the file of the process that was judged tells.
func (n *node) move(text string) error {
	id, err := parseID(text)
	if err != nil {
		return err
	}
	ns := n.tree.namespace(n)
	if ns.depth == 0 {
		return syscall.EPERM
	}
	tid, err := ns.host(id)
	if err != nil {
		return err
	}
	judged, err := hostfile.Hold(n.tree.proc, fmt.Sprintf("/proc/%d/cgroup", tid))
	if err != nil {
		return syscall.ESRCH
	}
	defer judged.Close()
	t, err := n.tree.task(tid)
	if err != nil || !ns.shows(&t) {
		return syscall.ESRCH
	}
	if err := n.mayMove(tid, &t); err != nil {
		return err
	}
	if c := n.scope.container; c != nil && c.InitPID == t.tgid {
		n.keepBound(n.path)
	}
	return n.moveJudged(tid, t.uids, judged)
}

// moveJudged writes the number of a process as soon as it was found to be alive and
// to have changed no user. One that has its number now, because it died under the
// write, is put back.
func (n *node) moveJudged(tid uint32, uids [4]uint32, judged hostfile.File) error {
	fd, err := n.openFile(n.file, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	again, err := n.tree.task(tid)
	if err != nil || again.uids != uids || !lives(judged) {
		return syscall.ESRCH
	}
	number := strconv.AppendUint(nil, uint64(tid), 10)
	if err := writeAll(fd, number); err != nil || lives(judged) {
		return err
	}
	n.putBack(tid, number)
	return syscall.ESRCH
}

func lives(f hostfile.File) bool {
	_, err := f.Append(nil)
	return err == nil
}

// putBack moves a process that was not meant out of n, to where its parent is: it
// was just born, and so was there.
func (n *node) putBack(tid uint32, number []byte) {
	now, err := n.tree.cgroupOf(n.h, tid)
	if err != nil || now != n.path {
		return
	}
	t, err := n.tree.task(tid)
	if err != nil {
		return
	}
	born, err := n.tree.cgroupOf(n.h, t.ppid)
	if err != nil || born == n.path {
		return
	}
	home, err := n.tree.at(n.h, n.scope, born)
	if err != nil {
		return
	}
	defer home.close()
	fd, err := home.openFile(n.file, unix.O_WRONLY)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	_ = writeAll(fd, number) // it may be gone as well
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
