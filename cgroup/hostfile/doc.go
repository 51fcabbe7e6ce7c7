// Package hostfile is the seam between lxcfs and the machine it runs on: every
// kernel file that lxcfs reads (/proc, /sys, cgroupfs) is read through an [FS].
//
// [OS] is the machine. Package hosttest has captured ones, for tests.
//
// The package does not parse, does not cache, and never opens a file for
// writing. Reads are bounded by [MaxSize]: a kernel file that is longer is an
// error, never a silent truncation.
package hostfile
