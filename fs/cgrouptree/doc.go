// Package cgrouptree is the container-aware tree of cgroups, for containers
// without a cgroup namespace: below a directory for each hierarchy a caller sees
// the way to its container's cgroup as bare directories, that cgroup and all
// below it in full, and nothing else.
//
// The tree is a [vfs.Mutable]. Its caller may be hostile, and the process
// that serves it may have rights that the caller lacks; so every rule that the
// kernel would apply to the caller is applied here, and what is not known to be
// the caller's is refused. A cgroup is named by its inode, which lasts as long
// as the cgroup; paths are hints that each use checks on an open directory. No
// path leads over a symlink, and none is opened by its full name.
//
// Process ids are translated between the host and the caller's pid namespace by
// the NSpid lines of /proc/PID/status. Nothing is forked, and no namespace is
// entered or opened.
//
// What takes long, for it is as much as a container likes (its processes, its
// cgroups), is done for one request of a top-level container at a time, and in
// pieces, between which others have their turn. What a successor would have to find
// out again is remembered within a share for each.
//
// The package keeps no state that a successor could not rebuild, does not log,
// and knows nothing of FUSE.
package cgrouptree
