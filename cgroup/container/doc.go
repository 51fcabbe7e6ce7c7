// Package container says who is asking: it resolves the caller of a FUSE
// request, a thread id of the host, to the [Container] whose numbers it sees,
// and gives the [Reason].
//
// It needs no privilege: it reads /proc/PID/{status,stat,cgroup,mountinfo} and
// cgroup directories, all of which anybody may read, and never /proc/PID/ns,
// which needs ptrace rights. What follows from that:
//
//   - The length of NStgid is the depth of the pid namespace; a process and its
//     parent of equal depth are in one pid namespace, because setns(2) and
//     unshare(2) only lead downwards.
//   - Names of cgroups are claims. They count only where root owns every
//     directory above; identity is never a name.
//   - Whoever asks chooses how much there is to look at. A decision reads a
//     bounded number of files and bytes, and bounds of all kinds count for a
//     top-level container ([Container.Top]), never for a parent of strangers'.
//     One for whom no more is read is answered by its runtime's scope or its unit,
//     and not with the host.
//   - Pids are used again. Whatever was learned of a pid counts only while the
//     inode of /proc/PID is the same: it belongs to one struct pid and is
//     numbered anew for the next (fs/proc/base.c, proc_pid_make_inode).
//
// The package does not read limits or usage (package view does), does not log,
// starts no goroutine, and knows no FUSE.
package container
