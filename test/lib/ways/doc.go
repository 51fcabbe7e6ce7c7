// Package ways reads a file in every way that Linux has: by the system calls that
// programs read with, one by one and in pieces, synchronously and not. It knows
// nothing of lxcfs, and judges nothing.
package ways
