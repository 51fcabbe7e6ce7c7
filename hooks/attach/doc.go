// Package attach binds the files of lxcfs into containers that run already, of
// any runtime, with or without user namespace, and takes them away again.
//
// The work is done by a child process of a second's life, which is the same
// program started anew: it clones the mounts in the host's namespace, enters
// the container's mount namespace by a pidfd, and attaches them there. It does
// not enter the user namespace: root of the host has every right over what is
// mounted in the namespaces below. A child that waits for a daemon that is away
// can be killed, and until all of its questions are answered it changes nothing.
//
// Either all files that the container has are attached, or none. The host, and
// whatever shares mounts with it, is refused.
//
// The package does not log, and knows no runtime but by the names of cgroups.
package attach
