// Package config is what an administrator can set: the options of a mount and
// the files lxcfs.conf(5), which know the same names.
//
// The package does not decide what to do about a mistake: it returns what was
// right together with every mistake, each with file, line and reason. It does
// not log, and reads no files but lxcfs.conf and its drop-ins, in the directories
// that lxcfs.conf(5) names.
package config
