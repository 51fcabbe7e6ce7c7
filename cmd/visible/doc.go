// Package visible makes text of strangers fit for a terminal and a log. A container
// chooses names of cgroups, paths and types of file systems, down to the byte: a
// terminal would carry out what is in them, and a newline would begin a line that
// looks like ours.
//
// The package prints nothing, and is not for formats that can hold any string, as
// JSON.
package visible
