// Package sys renders the files of /sys as a container sees them: one pure
// function for each file, from the bytes of the host's own file and a
// [view.View] of the container.
//
// The package reads no file, knows no container and keeps no state. Appending
// to a slice with room allocates nothing.
package sys
