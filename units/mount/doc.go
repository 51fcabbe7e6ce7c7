// Package mount makes, recognises and removes FUSE mounts of lxcfs, and hands
// a mounted connection from the privileged helper to the daemon.
//
// Everything that is asked about a mountpoint is read from /proc/self/mountinfo.
// The package never opens or stats a path on a mount of type [FSType]: a
// request to a connection that nobody serves does not return, and a process
// that waits for one can, in the worst case, not even be killed. The one
// exception is a bounded check for a dead mount, made by a child process that
// may be lost without harm; see [Prober].
//
// The package does not serve FUSE, does not judge the lxcfs options of a mount
// (package config does, in the daemon) and does not log.
package mount
