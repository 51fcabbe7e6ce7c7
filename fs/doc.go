// Package fs is the tree that lxcfs serves: a fixed table of nodes whose files
// answer each reader with the numbers of its own container, and other trees over
// directories of it. All are a [vfs.Tree].
//
// [Tree] speaks FUSE: it makes of a node id a tree and a key, and asks there.
// [Renderer] turns (file, caller) into bytes and knows no FUSE. Both keep no state
// that a successor process could not rebuild: node ids come from a frozen table,
// handles from the journal of package session.
//
// The package neither logs nor mounts. What went wrong on the way to a number
// (and was answered with the host's own file) is counted in [Counters] and told
// to the function that the owner gave.
package fs
