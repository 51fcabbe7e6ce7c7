// Package container says who is asking: it resolves the caller of a FUSE
// request, a thread id of the host, to the [Container] whose numbers it sees,
// and gives the [Reason].
//
// Three things are apart. Facts are read by a reader, within the bounds of one
// decision (reader.go, task.go, walk.go, entered.go, processes.go). The rules are
// pure, facts in and verdict out (rules.go; runtime.go has the runtimes' names). What
// was decided, and the Containers that are known, are remembered (remembered.go,
// registry.go). An inquiry leads a caller through them: known? facts, rules, the
// Container that they point at (build.go), kept for the next question.
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
// The package does not read limits or usage (package cgroup does), does not log,
// starts no goroutine, and knows no FUSE.
package container
