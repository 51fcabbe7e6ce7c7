// Package dbusapi is org.linuxcontainers.lxcfs1 on the bus: the interfaces as
// XML, a server that puts a [Manager] there, and a client.
//
// The XML files are the source of truth. They are embedded, installed, served
// as introspection data, and what the server goes by: which methods there are,
// with which arguments, and which of them need authorisation.
//
// The bus is optional. The [Server] has its own goroutines, comes (back) when a
// bus does, and neither waits for nor is waited for by anything that answers
// readers of files. It knows no FUSE and does not log; the Manager knows no bus.
package dbusapi
