package cgrouptree

import (
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// isList: the interface file is a list of process or thread ids.
func isList(file string) bool {
	return file == "tasks" || file == "cgroup.procs" || file == "cgroup.threads"
}

// delegated: the interface files of the container's own cgroup that are the
// container's to write, as in /sys/kernel/cgroup/delegate and with the mount
// option nsdelegate. All others there are the host's: what limits the container.
func delegated(file string) bool {
	return slices.Contains([]string{
		"cgroup.procs", "cgroup.threads", "cgroup.subtree_control", // v2
		"memory.oom.group", "memory.reclaim", // v2, since Linux 5.19
		"tasks", "cgroup.clone_children", // v1
	}, file)
}

// refused returns why the container may not write an interface file, whatever
// its mode. For what the kernel would not see in the write is who it is for.
func (n *node) refused() error {
	switch {
	case !n.writable():
		return syscall.EPERM
	case n.rel == top && !delegated(n.file):
		return syscall.EPERM
	}
	switch n.file {
	case "release_agent", // a program that the host runs as root
		"cgroup.event_control", // takes descriptors of the writing process
		"net_prio.ifpriomap":   // means the network devices of the writing process
		return syscall.EPERM
	case "devices.allow", "devices.deny":
		// The kernel asks for the capability in the initial user namespace.
		if !n.cred.initial() || !n.cred.can(unix.CAP_SYS_ADMIN) {
			return syscall.EPERM
		}
	case "cgroup.pressure":
	default:
		// A trigger lives as long as the descriptor that it was written to.
		if strings.HasSuffix(n.file, ".pressure") {
			return syscall.EOPNOTSUPP
		}
	}
	return nil
}
