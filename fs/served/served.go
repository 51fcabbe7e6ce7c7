// Package served has the table of what lxcfs serves: each path, its frozen number,
// and whether it is bound over a container's own. Renderers (fs/proc, fs/sys) and
// trees say of which path they are; package fs gives nodes their numbers, and package
// bind mounts by it. It has no code that reads or renders.
package served

import "strings"

// Kind is what is at a path.
type Kind uint8

// The kinds.
const (
	Directory Kind = iota // leads to other paths
	File                  // is rendered
	Tree                  // a directory over which a tree is mounted
	Reserved              // nothing; its number is taken
)

// Path is a line of the table.
type Path struct {
	// Index is the path's place in the table. It is part of every node id that a
	// kernel holds, and bind mounts hold node ids for years: an index keeps its meaning
	// in all later versions and is never used again for another path. Directories have
	// those below [FirstFile].
	Index uint16
	// Name is the host's path and, below the mount point, ours: "/proc/stat".
	Name string
	Kind Kind
	// Number is a Tree's, below 7, and as frozen as an index: it is in the node ids of
	// all that is in the tree.
	Number uint8
	// Runc: runc lets a mount be made over a file of /proc, so docker and containerd do
	// (libcontainer/rootfs_linux.go, checkProcMount; outside /proc it allows all). For
	// the others a hook is needed.
	Runc bool
}

// FirstFile is the lowest index of a file; that of the root directory is FUSE_ROOT_ID.
const (
	Root      = 1
	FirstFile = 16
)

// Paths returns the table.
func Paths() []Path {
	return []Path{
		{Index: Root, Name: "/"},
		{Index: 2, Name: "/proc"},
		{Index: 3, Name: "/sys"},
		{Index: 4, Name: "/sys/devices"},
		{Index: 5, Name: "/sys/devices/system"},
		{Index: 6, Name: "/sys/devices/system/cpu", Kind: Tree, Number: 0},
		{Index: 7, Name: "/proc/pressure"},
		{Index: 8, Name: "/sys/devices/system/node", Kind: Tree, Number: 1},
		{Index: 9, Name: "/cgroup", Kind: Tree, Number: 2},
		{Index: 10, Name: "/sys/block", Kind: Tree, Number: 3},
		{Index: 11, Name: "/sys/devices/system/memory", Kind: Tree, Number: 4},

		{Index: 16, Name: "/proc/cpuinfo", Kind: File, Runc: true},
		{Index: 17, Name: "/proc/diskstats", Kind: File, Runc: true},
		{Index: 18, Name: "/proc/loadavg", Kind: File, Runc: true},
		{Index: 19, Name: "/proc/meminfo", Kind: File, Runc: true},
		{Index: 20, Name: "/proc/stat", Kind: File, Runc: true},
		{Index: 21, Name: "/proc/swaps", Kind: File, Runc: true},
		{Index: 22, Name: "/proc/uptime", Kind: File, Runc: true},
		{Index: 23, Name: "/proc/slabinfo", Kind: File, Runc: true},
		{Index: 24, Name: "/proc/partitions", Kind: File},
		{Index: 25, Name: "/proc/vmstat", Kind: File},
		{Index: 26, Name: "/proc/pressure/cpu", Kind: File},
		{Index: 27, Name: "/proc/pressure/io", Kind: File},
		{Index: 28, Name: "/proc/pressure/memory", Kind: File},
		{Index: 29, Name: "/proc/pressure/irq", Kind: File},
		{Index: 40, Name: "/sys/devices/system/cpu/online", Kind: File},
		{Index: 41, Name: "/sys/devices/system/cpu/present", Kind: File},
		{Index: 42, Name: "/sys/devices/system/cpu/possible", Kind: File},
		{Index: 43, Name: "/sys/devices/system/cpu/offline", Kind: File},
		{Index: 44, Name: "/sys/devices/system/cpu/isolated", Kind: Reserved},
		{Index: 45, Name: "/sys/devices/system/cpu/kernel_max", Kind: Reserved},
	}
}

// Bound says whether a path is bound over that of a container: each file of /proc,
// and of /sys the trees as a whole. The cgroup tree is bound by the LXC hook alone.
func (p Path) Bound() bool {
	return p.Kind == File && strings.HasPrefix(p.Name, "/proc/") || p.Kind == Tree && strings.HasPrefix(p.Name, "/sys/")
}
