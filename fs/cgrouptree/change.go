package cgrouptree

import (
	"errors"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// Change changes the owner or mode of a cgroup or an interface file.
func (t *Tree) Change(c vfs.Caller, key vfs.Key, change vfs.Change) (vfs.Attr, error) {
	if key == vfs.Top {
		return vfs.Attr{}, syscall.EPERM
	}
	n, err := t.open(c, key)
	if err != nil {
		return vfs.Attr{}, err
	}
	defer n.close()
	if err := n.mayChange(change); err != nil {
		return vfs.Attr{}, err
	}
	if err := n.change(change); err != nil {
		return vfs.Attr{}, err
	}
	return n.attr(), nil
}

func (n *node) mayChange(change vfs.Change) error {
	switch {
	case !n.writable(), n.rel == top && n.file != "" && !delegated(n.file):
		return syscall.EPERM
	case change.Mode != nil && !n.cred.owner(&n.stat):
		return syscall.EPERM
	case !n.cred.mayChown(&n.stat, change.UID, change.GID):
		return syscall.EPERM
	}
	return nil
}

// change acts on the open directory, not on the cgroup's name in the one above.
func (n *node) change(change vfs.Change) error {
	name := "."
	if n.file != "" {
		name = n.file
	}
	uid, gid := -1, -1
	if change.UID != nil {
		uid = int(*change.UID)
	}
	if change.GID != nil {
		gid = int(*change.GID)
	}
	if uid >= 0 || gid >= 0 {
		if err := unix.Fchownat(n.fd, name, uid, gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
	}
	if change.Mode != nil {
		if err := unix.Fchmodat(n.fd, name, *change.Mode&0o777, 0); err != nil {
			return err
		}
	}
	return unix.Fstatat(n.fd, name, &n.stat, unix.AT_SYMLINK_NOFOLLOW)
}

// Mkdir makes a cgroup, which belongs to the caller with all its files.
func (t *Tree) Mkdir(c vfs.Caller, dir vfs.Key, name string, mode uint32) (vfs.Key, vfs.Attr, error) {
	n, err := t.openParent(c, dir, name)
	if err != nil {
		return 0, vfs.Attr{}, err
	}
	defer n.close()
	if strings.Contains(name, "\n") {
		return 0, vfs.Attr{}, syscall.EINVAL
	}
	child, err := n.mkdir(name, mode, c.Replayed)
	if err != nil {
		return 0, vfs.Attr{}, err
	}
	defer child.close()
	key := n.h.key(child.stat.Ino)
	if key == vfs.Top {
		return 0, vfs.Attr{}, syscall.EOVERFLOW
	}
	t.remember(n.scope, key, child.path)
	return key, child.attr(), nil
}

// openParent opens a directory in which the caller may make and remove cgroups.
func (t *Tree) openParent(c vfs.Caller, dir vfs.Key, name string) (*node, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if dir == vfs.Top {
		return nil, syscall.EPERM
	}
	n, err := t.open(c, dir)
	if err != nil {
		return nil, err
	}
	switch {
	case n.file != "":
		err = syscall.ENOTDIR
	case !n.writable():
		err = syscall.EPERM
	case !n.cred.may(&n.stat, mayWrite|mayExec):
		err = syscall.EACCES
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// unfinished is the mode of a cgroup of root's that is not given to the caller yet.
// Nobody else makes one of it: another cgroup that has the name by then is told by
// its mode.
const unfinished = 0

// mkdir makes the cgroup and gives it to the caller, itself last. Each step may
// be repeated: an earlier process may have died after any of them. One cgroup is
// made at a time, as in the kernel.
func (n *node) mkdir(name string, mode uint32, replayed bool) (*node, error) {
	n.tree.making.Lock()
	defer n.tree.making.Unlock()
	if !replayed && n.descendants() >= maxDescendants {
		return nil, syscall.EAGAIN // as the kernel beyond cgroup.max.descendants
	}
	err := unix.Mkdirat(n.fd, name, unfinished)
	exists := errors.Is(err, unix.EEXIST)
	if err != nil && !(exists && replayed) {
		return nil, err
	}
	child, err := n.child(name)
	if err != nil {
		return nil, err
	}
	if child.file != "" || !child.unfinished() && !(exists && n.mine(child)) {
		child.close()
		return nil, syscall.EEXIST
	}
	if err := child.give(mode & 0o777); err != nil {
		child.close()
		return nil, err
	}
	return child, nil
}

// replayTime bounds how old a cgroup is that a process before this one made for
// the same request.
const replayTime = time.Minute

// unfinished: the cgroup was made here, and not given to anybody yet.
func (n *node) unfinished() bool {
	return n.stat.Uid == n.tree.uid && n.stat.Mode&0o7777 == unfinished
}

// mine: the cgroup can be what an earlier process gave to the caller for this
// request.
func (n *node) mine(child *node) bool {
	young := time.Since(time.Unix(child.stat.Mtim.Unix())) < replayTime
	return young && child.stat.Uid == n.cred.uid && child.stat.Gid == n.cred.gid
}

// give gives a new cgroup to the caller.
func (n *node) give(mode uint32) error {
	giveFiles(n.fd, n.cred.uid, n.cred.gid, nil)
	owner := vfs.Change{Mode: &mode}
	if n.cred.uid != 0 || n.cred.gid != 0 {
		owner.UID, owner.GID = &n.cred.uid, &n.cred.gid
	}
	return n.change(owner)
}

// giveFiles gives the interface files of a cgroup that are root's to a user, but for
// those named. One that cannot be given stays root's, and the user can do less.
func giveFiles(dir int, uid, gid uint32, but map[string]bool) {
	if uid == 0 && gid == 0 {
		return
	}
	list, err := readDir(dir, maxSearch)
	if err != nil {
		return
	}
	for _, e := range list {
		var st unix.Stat_t
		if isDir(e) || but[e.Name] || unix.Fstatat(dir, e.Name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil || st.Uid != 0 || st.Gid != 0 {
			continue
		}
		_ = unix.Fchownat(dir, e.Name, int(uid), int(gid), unix.AT_SYMLINK_NOFOLLOW)
	}
}

// Rmdir removes a cgroup; that it is gone already is success for a request that
// an earlier process may have carried out.
func (t *Tree) Rmdir(c vfs.Caller, dir vfs.Key, name string) error {
	n, err := t.openParent(c, dir, name)
	if err != nil {
		return err
	}
	defer n.close()
	var st unix.Stat_t
	err = unix.Fstatat(n.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case errors.Is(err, unix.ENOENT) && c.Replayed:
		return nil
	case err != nil:
		return err
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return syscall.ENOTDIR
	case n.stat.Mode&unix.S_ISVTX != 0 && !n.cred.owner(&st) && !n.cred.owner(&n.stat):
		return syscall.EPERM
	}
	err = unix.Unlinkat(n.fd, name, unix.AT_REMOVEDIR)
	if errors.Is(err, unix.ENOENT) && c.Replayed {
		return nil
	}
	return err
}
