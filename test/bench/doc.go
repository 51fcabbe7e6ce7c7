// Command bench measures lxcfs beside others on one machine in one run: another
// lxcfs, the kernel's own files, and a FUSE file system of one constant file,
// which is the floor. test/bench/run builds what it needs and starts it.
//
// A container is what a runtime makes: cgroups, a pid and a mount namespace, and
// a server's files bound over the kernel's (c/box.c). Servers take turns within
// each measurement, and what is reported is the median of the rounds.
package main
