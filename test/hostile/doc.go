// Hostile does inside of a container what hurts its neighbours, and measures what
// a neighbour feels. It judges nothing: tests do, here and in the VM.
//
//	hostile flood THREADS FILE...   each thread opens, reads and closes, until SIGTERM
//	hostile ioctl THREADS FILE...   each sends requests larger than a page instead
//	hostile sample COUNT FILE       a new process for each read
package main
