// Package view takes the snapshot that one container's files are made from:
// limits and usage, the CPUs it is shown, their time, load averages.
//
// A [Gatherer] fills in the parts of a [View] that a file needs. What must be
// remembered between two reads is in [Accounts] (CPU time; in memory that
// outlives the process) and [Loads] (load averages; begun anew by a new
// process). Nothing costs anything for a container that nobody reads, and what is
// remembered of one that is no more goes when it is forgotten ([Loads.Forget],
// [Gatherer.Forget]).
//
// [Sources] says which cgroup and interface file each number comes from: it reads
// them by the functions by which Gather does.
//
// The package renders nothing and falls back to nothing: an interface file that
// is missing is an error that names it.
package view
