// Package nspawn makes the settings by which containers of systemd-nspawn get
// the files of lxcfs (systemd.nspawn(5)).
//
// nspawn makes mounts below /proc when the host's tree is gone already, so a
// plain bind finds no source. Hence two steps: the settings bind the tree into the
// container first, then its files from there over /proc. nspawn makes binds below
// /sys early, and hides them in a container with its own network, for which it
// mounts another /sys later. The drop-in of systemd-nspawn@.service, which runs
// lxcfsctl attach after the start, attaches those files.
package nspawn
