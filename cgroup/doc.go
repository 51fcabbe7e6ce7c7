// Package cgroup reads Linux control groups, v1, hybrid and v2: which
// hierarchies a machine has, where a process is in them, and what the interface
// files there say.
//
// Limits are effective ones: the smallest of a cgroup and all its ancestors.
// "No limit" is [Max]; what is not there is errors.Is(err, fs.ErrNotExist);
// what is there and makes no sense is errors.Is(err, [ErrFormat]).
//
// The package does not write, does not know what a container is, has no
// opinion on what to show, and keeps no state but scratch buffers.
package cgroup
