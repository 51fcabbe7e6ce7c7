// Command lxcfs-nri is a plugin for containerd (1.7 and later) and CRI-O (1.26
// and later) by the Node Resource Interface: it adds mounts of the files of lxcfs
// to each container that is created.
//
// runc refuses mounts over some files (/proc/pressure); for those, -hook injects
// the createContainer hook instead of mounts, where the runtime's validator of
// plugins lets it.
//
// A container is never kept from being created: when lxcfs does not answer, it
// is not adjusted, and the reason is logged. A pod whose annotation
// lxcfs.linuxcontainers.org/view is "off" is left alone.
//
// It is a module of its own: what it needs would be in the build of everybody.
package main
