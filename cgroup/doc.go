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
// opinion on what to show. Every number is read when it is asked for. What a [Host]
// remembers makes reading faster: its mounts, the names of directories, the sets
// that CPU lists stand for, scratch buffers; and which interface files this kernel
// does not have, for which it looks again now and then only.
package cgroup
