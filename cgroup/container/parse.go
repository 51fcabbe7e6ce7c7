package container

import (
	"bytes"
	"fmt"

	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// status says where a task is in the tree of processes and pid namespaces.
type status struct {
	tgid, ppid uint32
	depth      int    // of its pid namespace; 1 is that of /proc
	inner      uint32 // its process id there
	// blind: the kernel has no pid namespaces (CONFIG_PID_NS=n) or does not say.
	blind bool
}

// init: the process is pid 1 of a pid namespace below that of /proc.
func (s *status) init() bool { return s.depth > 1 && s.inner == 1 }

// maxDepth is more than MAX_PID_NS_LEVEL (32, include/linux/pid_namespace.h).
const maxDepth = 64

// parseStatus parses /proc/PID/status. The caller may be any thread, so NStgid
// counts and not NSpid. Where it is not there, NSpid is taken, and without that the
// depth is 1, so that only cgroups decide.
func parseStatus(content []byte) (s status, err error) {
	lines := procpid.Status(content)
	if s.tgid, err = lines.Line("Tgid").Number(); err != nil {
		return status{}, err
	}
	if s.ppid, err = lines.Line("PPid").Number(); err != nil {
		return status{}, err
	}
	ids := lines.Line("NStgid")
	if ids == nil {
		ids = lines.Line("NSpid")
	}
	if ids == nil {
		s.depth, s.inner, s.blind = 1, s.tgid, true
		return s, nil
	}
	var room [maxDepth]uint32
	list, err := ids.Numbers(room[:0])
	if err == nil && (len(list) == 0 || len(list) > maxDepth) {
		err = fmt.Errorf("%w: %.80q", procpid.ErrFormat, ids)
	}
	if err != nil {
		return status{}, err
	}
	s.depth, s.inner = len(list), list[len(list)-1]
	return s, nil
}

// rootMount is the mount at a process's "/".
type rootMount struct {
	id           int // in one mount namespace only
	major, minor uint32
	dir          string // in the file system, as mountinfo escapes it
}

// sameDir says whether both mounts show the same directory.
func (m rootMount) sameDir(other rootMount) bool {
	return m.major == other.major && m.minor == other.minor && m.dir == other.dir
}

// parseRootMount returns the mount of "/" in /proc/PID/mountinfo.
//
// Every mount has an id of its own and is in one mount namespace, so equal ids
// mean the same mount namespace. Of mounts stacked on "/" the last one is seen.
// The content may end in the middle of a line.
func parseRootMount(content []byte) (rootMount, error) {
	var root procpid.Mount
	for line := range bytes.Lines(content) {
		if m, err := procpid.ParseMount(line); err == nil && string(m.Point) == "/" {
			root = m
		}
	}
	if root.Point == nil {
		return rootMount{}, fmt.Errorf("%w: no mount at /: %.80q", procpid.ErrFormat, content)
	}
	return rootMount{root.ID, root.Major, root.Minor, string(root.Root)}, nil
}
