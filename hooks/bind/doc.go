// Package bind says which files of lxcfs are bound over which files of a
// container, by the table of what is served, and does it by descriptors. It is the
// one place that knows; hooks, drop-ins and lxcfsctl attach all go by it (the hook
// of LXC, a shell script, has the same rule, and a test that it has).
//
// It does not know what a container is, enters no namespace, and does not log.
package bind
