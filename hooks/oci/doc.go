// Package oci is the createContainer hook of OCI runtimes: run in the namespaces
// of a container that is being created, before pivot_root(2), it binds what lxcfs
// serves over the container's files (runtime-spec, config.md, "CreateContainer
// Hooks"). podman and CRI-O run it by a file in hooks.d.
//
// It does not log; what to do about an error is the command's decision.
package oci
