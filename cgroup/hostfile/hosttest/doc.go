// Package hosttest has captured machines for tests: an [Archive] is the kernel
// files of one machine, in memory or from a txtar archive, so that a bug report
// can be replayed byte for byte. No program imports it.
package hosttest
