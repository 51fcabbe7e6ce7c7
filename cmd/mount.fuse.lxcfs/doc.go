// Command mount.fuse.lxcfs is lxcfs's one privileged act: mount(8) runs it for
// every mount of type fuse.lxcfs, from a unit, from fstab or by hand. It opens
// /dev/fuse, mounts the connection, hands it to the unprivileged daemon through
// lxcfs.socket, waits for the ack and is gone. When anything fails it takes the
// mount away again.
//
// It serves nothing and knows no lxcfs option: the daemon judges those.
package main
