// Package hostfile is the seam between lxcfs and the machine it runs on: every
// kernel file that lxcfs reads (/proc, /sys, cgroupfs) is read through an [FS].
//
// [OS] is the machine. Package hosttest has captured ones, for tests.
//
// [Held] keeps files open that are read again and again. It keeps no content:
// every read is answered with what the kernel says after the question was asked.
//
// The package does not parse, and never opens a file for writing. Reads are
// bounded by [MaxSize]: a kernel file that is longer is an error; only [AppendHead]
// leaves out a rest, which is what it is asked for.
package hostfile
