// Command mount.fuse.lxcfs mounts for the daemon, which must not: mount(8) runs it
// as root for every mount of type fuse.lxcfs, from a unit, from fstab or by hand. It
// opens /dev/fuse, mounts the connection, hands it to the unprivileged daemon
// through lxcfs.socket, waits until the daemon has taken it, and ends. When anything
// fails it takes the mount away again and tells a daemon that was started for the
// mount why. lxcfs-heal.service runs it to take a dead mount away (--detach-dead).
//
// It serves nothing, and of the options of lxcfs it knows only "cgroup", by which
// another daemon gets the mount, that of lxcfs-cgroup.service: the daemon judges
// them.
package main
