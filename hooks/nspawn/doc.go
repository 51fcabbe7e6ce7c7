// Package nspawn makes the settings by which containers of systemd-nspawn get
// the files of lxcfs (systemd.nspawn(5)).
//
// nspawn makes mounts below /proc when the host's tree is gone already, so a
// plain bind finds no source. Hence two steps: the tree into the container
// first, then from there over /proc. A bind below /sys is made early, but is
// hidden in a container with its own network, for which nspawn makes another
// /sys; those, the drop-in of systemd-nspawn@.service attaches after the start.
package nspawn
