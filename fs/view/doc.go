// Package view takes the snapshot that one container's files are made from:
// limits and usage, the CPUs it is shown, their time, load averages.
//
// A [Gatherer] fills in the parts of a [View] that a file needs. What must be
// remembered between two reads is in [Accounts] (CPU time; in memory that
// outlives the process) and [Loads] (load averages; a new process begins them
// anew). Two things that change seldom are read once a second at most: what memory
// the host has, and which block devices a container may open. A container that
// nobody reads costs nothing; what is remembered of one that ended goes with
// [Loads.Forget] and [Gatherer.Forget].
//
// [Sources] says which cgroup and interface file each number comes from: it reads
// them by the functions by which Gather does.
//
// The package renders nothing, and never has the host's number in place of a
// container's: an interface file that is missing is an error that names it. Where
// the kernel does not limit or count something for the container, the View says
// so: no cpuset controller means all CPUs, no io controller no I/O, no pressure
// file an empty text.
package view
