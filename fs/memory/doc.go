// Package memory turns what a cgroup is charged with into the memory of a
// machine: a container's limits and usage become the figures that the kernel of
// a machine of that size would print in /proc/meminfo, /proc/vmstat and the
// files of memory nodes. One table says which figure is which line of each file,
// so that they agree.
//
// The kernel counts pages, so all figures are whole pages, and the files of one
// container differ in their units only. The package reads no text but lines'
// names, and renders none.
package memory
