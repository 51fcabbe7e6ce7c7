// Package daemon serves connections: classic lxcfs, which mounts and unmounts by
// itself ([Classic]), the worker of a keeper ([Worker]), and the service that takes
// mounts from a socket and is on the bus ([Service]).
//
// It parses no command line and decides no exit status: an error of package process
// brings one with it. How requests outlive the process is in package session; what is
// served, in package fs.
package daemon
