package cgrouptree

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// cred is what the kernel would judge a caller by.
type cred struct {
	uid, gid uint32 // filesystem ids, in the host's numbering
	groups   []uint32
	caps     uint64 // effective, in the caller's user namespace
	uids     idmap
	gids     idmap
	task     task
}

// permissions wanted, as in the bits of a mode.
const (
	mayExec  = 1
	mayWrite = 2
	mayRead  = 4
)

// credentials reads a caller's. Ids are those of the request. Groups and
// capabilities count only when the task still has those ids: it may have been
// killed and its number be another's by now.
func (t *Tree) credentials(c vfs.Caller) (*cred, error) {
	cr := &cred{uid: c.UID, gid: c.GID}
	if c.TID == 0 {
		return cr, nil
	}
	var err error
	if cr.task, err = t.task(c.TID); err != nil {
		return nil, err
	}
	if cr.task.uids[3] != c.UID || cr.task.gids[3] != c.GID {
		return cr, nil
	}
	cr.groups, cr.caps = cr.task.groups, cr.task.caps
	if cr.uids, err = t.idmap(c.TID, "uid_map"); err != nil {
		return nil, err
	}
	cr.gids, err = t.idmap(c.TID, "gid_map")
	return cr, err
}

func (c *cred) can(capability uint) bool { return c.caps&(1<<capability) != 0 }

// privileged: a capability of the caller counts for the inode, as owner and
// group have numbers in its user namespace (privileged_wrt_inode_uidgid).
func (c *cred) privileged(capability uint, st *unix.Stat_t) bool {
	return c.can(capability) && c.uids.has(st.Uid) && c.gids.has(st.Gid)
}

// may is generic_permission of fs/namei.c. In addition, as in kernfs, nobody
// writes or reads a file of a mode that lets nobody.
func (c *cred) may(st *unix.Stat_t, want uint32) bool {
	dir := st.Mode&unix.S_IFMT == unix.S_IFDIR
	if !dir && st.Mode&(want*0o111) == 0 {
		return false
	}
	bits := st.Mode
	switch {
	case c.uid == st.Uid:
		bits >>= 6
	case c.inGroup(st.Gid):
		bits >>= 3
	}
	if bits&want == want {
		return true
	}
	if c.privileged(unix.CAP_DAC_OVERRIDE, st) {
		return true
	}
	readOnly := want == mayRead || dir && want&mayWrite == 0
	return readOnly && c.privileged(unix.CAP_DAC_READ_SEARCH, st)
}

func (c *cred) inGroup(gid uint32) bool {
	return c.gid == gid || slices.Contains(c.groups, gid)
}

// owner: the caller may change the mode (inode_owner_or_capable).
func (c *cred) owner(st *unix.Stat_t) bool {
	return c.uid == st.Uid || c.privileged(unix.CAP_FOWNER, st)
}

// mayChown is chown_ok and chgrp_ok of fs/attr.c.
func (c *cred) mayChown(st *unix.Stat_t, uid, gid *uint32) bool {
	chown := c.privileged(unix.CAP_CHOWN, st)
	if uid != nil && !(chown && c.uids.has(*uid)) && !(c.uid == st.Uid && *uid == st.Uid) {
		return false
	}
	if gid != nil && !(chown && c.gids.has(*gid)) && !(c.uid == st.Uid && (*gid == st.Gid || c.inGroup(*gid))) {
		return false
	}
	return true
}

// root: the caller is user 0 of its user namespace.
func (c *cred) root() bool {
	id, ok := c.uids.outside(0)
	return ok && id == c.uid
}

// initial: the caller is in the initial user namespace.
func (c *cred) initial() bool {
	return len(c.uids) == 1 && c.uids[0] == idRange{0, 0, 1<<32 - 1}
}

// idRange is a line of /proc/PID/uid_map.
type idRange struct{ inside, outside, count uint32 }

// idmap is the ids of a user namespace.
type idmap []idRange

// idmap reads the map of a task's user namespace.
func (t *Tree) idmap(tid uint32, file string) (idmap, error) {
	return procpid.Read(t.proc, tid, file, parseIDMap)
}

// parseIDMap parses /proc/PID/uid_map, user_namespaces(7):
//
//	0     100000      65536
//
// At most 340 lines; none before it was written.
func parseIDMap(text []byte) (idmap, error) {
	var m idmap
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) != 3 {
			return nil, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
		}
		var v [3]uint32
		for i := range f {
			n, err := strconv.ParseUint(string(f[i]), 10, 32)
			if err != nil {
				return nil, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
			}
			v[i] = uint32(n)
		}
		m = append(m, idRange{v[0], v[1], v[2]})
	}
	return m, nil
}

// has: the host's id has a number in the namespace.
func (m idmap) has(id uint32) bool {
	return slices.ContainsFunc(m, func(r idRange) bool { return id >= r.outside && id-r.outside < r.count })
}

// outside returns the host's number of an id of the namespace.
func (m idmap) outside(id uint32) (uint32, bool) {
	for _, r := range m {
		if id >= r.inside && id-r.inside < r.count {
			return r.outside + (id - r.inside), true
		}
	}
	return 0, false
}
