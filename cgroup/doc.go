// Package cgroup reads Linux control groups, v1, hybrid and v2: which
// hierarchies a machine has, where a process is in them, and what the interface
// files there say.
//
// Limits are effective ones: the smallest of a cgroup and all its ancestors. What
// is read knows the cgroup and the interface file that it comes from ([Origin]).
// "No limit" is [Max]; what is not there is errors.Is(err, fs.ErrNotExist);
// what is there and makes no sense is errors.Is(err, [ErrFormat]).
//
// The package does not write, does not know what a container is, and has no
// opinion on what to show. What a [Host] remembers makes reading faster and
// changes no result: limits of cgroups above, as long as inotify(7) says that
// nobody wrote to their files, which interface files this kernel does not have, a
// machine's own facts, and scratch buffers.
package cgroup
