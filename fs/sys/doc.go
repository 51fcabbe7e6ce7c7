// Package sys serves /sys as a container sees it. It has two kinds of files:
//
//   - those of the frozen table, [Files]: the lists of CPUs online, offline, present
//     and possible. Each is a pure function from the bytes of the host's file and a
//     [view.View] of the container; it allocates nothing where there is room.
//   - trees of which each caller finds another part, [Trees]:
//     /sys/devices/system/cpu, node and memory, and /sys/block.
//
// The trees of CPUs and nodes are those of a machine that has taken the CPUs that are
// not in the view offline, so that lscpu and numactl agree with /proc; possible and
// present are fixed at boot, and programs size tables by them. Of the nodes there are
// those that the container may use. In the third tree are as many blocks of memory,
// memoryN, as hold its MemTotal, for lsmem. In the last are the disks of its
// /proc/diskstats, with the same numbers, so that iostat agrees. All else passes
// through, if everybody may read it on the host. Who is on the host sees the host's.
//
// No path leads out of the trees: each component is opened without following
// a symlink, on the same file system. A symlink is followed by the reader's
// kernel, not here; one of the kernel's is shown only if its target is in one of
// the first three trees and visible. In the last symlinks are made for who may open
// a disk: to the kernel's own files of it, in the reader's /sys. (openat2(2) would
// do it in one call, but is ENOSYS under the seccomp filter of the unit.)
//
// A node's key is the inode number that sysfs gave it, with one bit more for a
// symlink that is made here; a successor process that meets a key it never looked
// up searches the tree for it, once.
package sys
