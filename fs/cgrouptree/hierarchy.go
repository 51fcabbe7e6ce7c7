package cgrouptree

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// A key is a hierarchy's number over an inode number. Inodes of kernfs are
// numbered from 1, per hierarchy, and a number comes again only after 2^31 more
// (fs/kernfs/dir.c, __kernfs_new_node): 39 bits are 256 such rounds.
const (
	inodeBits = 39
	keyBits   = inodeBits + 5
)

// hierarchyNumber is frozen: it is part of node ids. A v1 hierarchy has the
// number of its first controller in this order, so that it does not depend on
// how the host joins controllers.
func hierarchyNumber(hi *cgroup.Hierarchy) (uint64, bool) {
	if hi.Version == 2 {
		return 0, true
	}
	for number, controller := range [...]string{
		1: "name=systemd", "cpuset", "cpu", "cpuacct", "blkio", "memory", "devices", "freezer", "net_cls",
		"perf_event", "net_prio", "hugetlb", "pids", "rdma", "misc", "dmem", "debug", "name=elogind", "name=openrc",
	} {
		if controller == "" {
			continue
		}
		if name, named := strings.CutPrefix(controller, "name="); named && name == hi.Name {
			return uint64(number), true
		}
		for _, c := range hi.Controllers {
			if c == controller {
				return uint64(number), true
			}
		}
	}
	return 0, false
}

// hierarchy is one hierarchy as it is served. It is immutable.
type hierarchy struct {
	name    string
	number  uint64
	version int
	// controller is what /proc/PID/cgroup calls it.
	controller string
	root       string // the cgroup that is mounted, "/" if all of the hierarchy is
	fd         int    // of that cgroup's directory, O_PATH
	dev, ino   uint64
}

// openHierarchy returns nil for one that has no number.
func openHierarchy(hi *cgroup.Hierarchy) (*hierarchy, error) {
	number, ok := hierarchyNumber(hi)
	if !ok {
		return nil, nil
	}
	h := &hierarchy{name: servedName(hi), number: number, version: hi.Version, root: hi.Root}
	switch {
	case hi.Version == 2:
	case hi.Name != "":
		h.controller = "name=" + hi.Name
	default:
		h.controller = hi.Controllers[0]
	}
	var err error
	if h.fd, err = unix.Open(hi.MountPoint, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil, nil
		}
		return nil, &os.PathError{Op: "open", Path: hi.MountPoint, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstat(h.fd, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: hi.MountPoint, Err: err}
	}
	h.dev, h.ino = st.Dev, st.Ino
	return h, nil
}

// servedName is the name that a hierarchy is mounted by, "unified" for v2.
func servedName(hi *cgroup.Hierarchy) string {
	switch {
	case hi.Version == 2:
		return "unified"
	case strings.HasPrefix(hi.MountPoint, "/sys/fs/cgroup/"):
		return path.Base(hi.MountPoint)
	case hi.Name != "":
		return hi.Name
	}
	return strings.Join(hi.Controllers, ",")
}

// key returns the key of an inode; [vfs.Top] if it has none.
func (h *hierarchy) key(ino uint64) vfs.Key {
	if ino == 0 || ino >= 1<<inodeBits {
		return vfs.Top
	}
	return vfs.Key(h.number<<inodeBits | ino)
}

// split undoes key; nil for a hierarchy that is not there.
func (t *Tree) split(key vfs.Key) (*hierarchy, uint64) {
	for _, h := range t.hierarchies {
		if h.number == uint64(key)>>inodeBits {
			return h, uint64(key) & (1<<inodeBits - 1)
		}
	}
	return nil, 0
}

// relative returns a path of /proc/PID/cgroup as it is used here: from what is
// mounted, without slashes at its ends, "" for the top.
func (h *hierarchy) relative(name string) (string, bool) {
	rest, ok := name, true
	if h.root != "/" {
		rest, ok = strings.CutPrefix(name, h.root)
	}
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	rest = strings.Trim(rest, "/")
	if rest == "" {
		return "", true
	}
	for c := range strings.SplitSeq(rest, "/") {
		if c == "" || c == "." || c == ".." {
			return "", false
		}
	}
	return rest, true
}
