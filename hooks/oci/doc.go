// Package oci is the createContainer hook of OCI runtimes (runtime-spec, config.md,
// "CreateContainer Hooks"): it binds what lxcfs serves over the files of a container
// that is being created. The runtime runs it in the container's namespaces, before
// pivot_root(2); podman and CRI-O find it by a file in hooks.d.
//
// The package does not log; the command, lxcfs-oci-hook, decides what to do about an
// error.
package oci
