// Package escape escapes text that a container chose, for a terminal and a log.
// Names of cgroups, paths and types of file systems can hold any byte: a terminal
// would obey control characters in them, and a newline would begin a line that looks
// like one of lxcfs's own.
//
// The package prints nothing, and is not for formats that can hold any string, as
// JSON.
package escape
