// Package attach binds the files of lxcfs into containers that run already, of
// any runtime, with or without user namespace, and takes them away again.
//
// A child process does the work, the same program started anew. It makes itself a
// private copy of the host's mount namespace, enters the container's, which it is
// given by a pidfd, looks at what is there, clones the mounts of lxcfs from the
// copy, and attaches them. It does not enter the user namespace: root of the host
// has every right over what is mounted in the namespaces below. It changes nothing
// until all that it asked is answered. When a container or a daemon lets it wait,
// its parent kills it, at the end of the time that the caller gave.
//
// Either all files that the container has are attached, or none. The package
// refuses the host, and whatever shares mounts with it.
//
// The package does not log, and knows runtimes by the names of cgroups only.
package attach
