// Package psi is pressure triggers (Documentation/accounting/psi.rst) for
// readers who may not make one in the kernel: whoever writes "some 150000
// 1000000" to a served pressure file is woken by poll(2) when the tasks of his
// container stalled for 150 ms within one second.
//
// The kernel keeps the stall times; an [Engine] reads the total= values of its
// triggers' files ten times in each window, all of them from one goroutine, and
// nothing while there is no trigger. It needs no right to write to cgroupfs.
//
// A trigger is recorded where it outlives the process. A successor goes on with
// it and, since an event may have fallen into the gap, lets it fire once.
//
// The package knows no FUSE: events are told to the functions of [Config].
package psi
