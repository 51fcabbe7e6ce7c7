// Package bind says which files of lxcfs are bound over which files of a
// container, by the table of what is served, and binds them, by descriptors and
// never twice by a name. The other hooks, the drop-ins and lxcfsctl attach all go by
// it; the hook of LXC, a shell script, repeats its rule, and a test holds it to that.
//
// It does not know what a container is, enters no namespace, and does not log.
package bind
