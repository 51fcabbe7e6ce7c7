// Command lxcfs-nri is a plugin for containerd (1.7 and later) and CRI-O (1.26
// and later) by the Node Resource Interface: it adds mounts of the files of lxcfs
// to each container that is created.
//
// runc refuses mounts over some files (/proc/pressure); for those, -hook injects
// the createContainer hook instead of mounts, where the runtime's validator of
// plugins lets it.
//
// The plugin never keeps a container from being created: when lxcfs does not
// answer, it leaves the container as it is and logs why. It leaves a pod alone whose
// annotation lxcfs.linuxcontainers.org/view is "off".
//
// It is a Go module of its own, so that what it depends on is not in the build of
// lxcfs.
package main
