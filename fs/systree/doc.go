// Package systree serves /sys/devices/system/cpu and /sys/devices/system/node as
// a container sees them: the directories cpuN and nodeN of what it may use, and
// in every file the CPUs and nodes of its view only, so that lscpu and numactl
// agree with /proc. All else passes through, if everybody may read it on the
// host. Who is on the host sees the host's tree.
//
// No path leads out of the two trees: each component is opened without following
// a symlink, on the same file system; a symlink is shown only if its target is
// in one of the trees and visible, and is followed by the reader's kernel, not
// here. (openat2(2) would do it in one call, but is ENOSYS under the seccomp
// filter of the unit.)
//
// A node's key is the inode number that sysfs gave it; a successor process that
// meets a key it never looked up searches the tree for it, once.
package systree
