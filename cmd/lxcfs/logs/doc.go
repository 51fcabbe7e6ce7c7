// Package logs writes the messages of lxcfs: to the journal with fields, or in lines
// to stderr, and bounds how many of them containers can cause. It decides nothing:
// what is worth a line, its callers say. Nobody outside cmd logs.
package logs
