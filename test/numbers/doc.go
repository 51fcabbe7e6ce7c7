// Package numbers tests all files of one container together, from its caller to
// the bytes, on made-up machines in random but valid states: what holds for any
// machine must hold there. It has tests only.
package numbers
