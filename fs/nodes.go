package fs

import (
	"path"
	"sort"

	"linuxcontainers.org/lxcfs/fs/view"
)

// File is one served file.
type File struct {
	// Path is the host's file and, below the mount point, ours: "/proc/stat".
	Path string
	// Needs says which parts of a View the file is made from.
	Needs view.Needs
	// Append renders: dst plus the container's version of the host's text.
	Append func(dst, host []byte, v *view.View) ([]byte, error)

	counters Counters
}

// index is a node's place in the table. It is part of every node id that a
// kernel holds, and bind mounts hold node ids for years: an index keeps its
// meaning in all later versions and is never used again for another path.
type index uint16

// rootIndex is FUSE_ROOT_ID.
const rootIndex index = 1

// indexes is the frozen numbering; directories below 16, files from there on.
// The directory of a path is implied by it.
func indexes() map[string]index {
	return map[string]index{
		"/":                                  rootIndex,
		"/proc":                              2,
		"/sys":                               3,
		"/sys/devices":                       4,
		"/sys/devices/system":                5,
		"/sys/devices/system/cpu":            6,
		"/proc/pressure":                     7,
		"/sys/devices/system/node":           8,
		"/cgroup":                            9,
		"/sys/block":                         10,
		"/sys/devices/system/memory":         11,
		"/proc/cpuinfo":                      16,
		"/proc/diskstats":                    17,
		"/proc/loadavg":                      18,
		"/proc/meminfo":                      19,
		"/proc/stat":                         20,
		"/proc/swaps":                        21,
		"/proc/uptime":                       22,
		"/proc/slabinfo":                     23,
		"/proc/partitions":                   24,
		"/proc/vmstat":                       25,
		"/proc/pressure/cpu":                 26,
		"/proc/pressure/io":                  27,
		"/proc/pressure/memory":              28,
		"/proc/pressure/irq":                 29,
		"/sys/devices/system/cpu/online":     40,
		"/sys/devices/system/cpu/present":    41,
		"/sys/devices/system/cpu/possible":   42,
		"/sys/devices/system/cpu/offline":    43,
		"/sys/devices/system/cpu/isolated":   44,
		"/sys/devices/system/cpu/kernel_max": 45,
	}
}

// node is a directory or a file of the tree.
type node struct {
	index    index
	name     string
	parent   *node
	children []*node  // sorted by name; nil for a file
	file     *File    // nil for a directory
	size     uint64   // st_size and st_blksize of a file, bytes
	sub      *mounted // serves the names in a directory that are no children
}

// child returns the node of that name in the directory n.
func (n *node) child(name string) *node {
	i := sort.Search(len(n.children), func(i int) bool { return n.children[i].name >= name })
	if i < len(n.children) && n.children[i].name == name {
		return n.children[i]
	}
	return nil
}

// nodeTable holds every node by its index.
type nodeTable struct {
	byIndex map[index]*node
}

// newNodeTable builds the tree of the files given, and the directories above
// them. A file that has no number in the frozen table is left out.
func newNodeTable(files []*File, size func(path string) uint64) nodeTable {
	t := nodeTable{byIndex: make(map[index]*node)}
	numbers := indexes()
	t.byIndex[rootIndex] = &node{index: rootIndex, name: "/"}
	for _, f := range files {
		number, ok := numbers[f.Path]
		if !ok {
			continue
		}
		dir := t.directory(numbers, path.Dir(f.Path))
		t.add(dir, &node{index: number, name: path.Base(f.Path), file: f, size: size(f.Path)})
	}
	return t
}

// directory returns the node of a directory, made with all above it.
func (t nodeTable) directory(numbers map[string]index, name string) *node {
	number := numbers[name]
	if n := t.byIndex[number]; n != nil {
		return n
	}
	n := &node{index: number, name: path.Base(name)}
	t.add(t.directory(numbers, path.Dir(name)), n)
	return n
}

func (t nodeTable) add(dir, n *node) {
	n.parent = dir
	t.byIndex[n.index] = n
	at := sort.Search(len(dir.children), func(i int) bool { return dir.children[i].name >= n.name })
	dir.children = append(dir.children, nil)
	copy(dir.children[at+1:], dir.children[at:])
	dir.children[at] = n
}

// indexBits is the part of a node id that holds the index. What is above it is 0;
// a kernel may hold ids of earlier versions in which it is not.
const indexBits = 16

func nodeID(i index) uint64 { return uint64(i) }

// node returns the node of a node id, nil for an unknown one.
func (t nodeTable) node(id uint64) *node {
	if id&subtreeBit != 0 {
		return nil
	}
	return t.byIndex[index(id&(1<<indexBits-1))]
}
