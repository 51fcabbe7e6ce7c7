// Package integration tests the built lxcfs on real mounts with real cgroups
// and pid namespaces. Its tests have the build tag "integration", need root and
// /dev/fuse, and say so when they are skipped.
package integration
