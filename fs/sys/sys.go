package sys

import (
	"linuxcontainers.org/lxcfs/fs/vfs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// Files returns the files of the table that this package renders, by path.
func Files() []view.File {
	return []view.File{
		{Path: "/sys/devices/system/cpu/offline", Needs: view.NeedCPUs | view.NeedPossible, Append: AppendOffline},
		{Path: "/sys/devices/system/cpu/online", Needs: view.NeedCPUs, Append: AppendOnline},
		{Path: "/sys/devices/system/cpu/possible", Append: AppendHost},
		{Path: "/sys/devices/system/cpu/present", Append: AppendHost},
	}
}

// Trees returns the trees that this machine has.
func Trees(viewer vfs.Viewer, show Shower) []vfs.Mount {
	trees := systemTrees(systemDir, viewer)
	if disks, ok := blockTree(blockDir, show, viewer); ok {
		trees = append(trees, disks)
	}
	return trees
}
