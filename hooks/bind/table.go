package bind

import (
	"slices"
	"strings"

	"linuxcontainers.org/lxcfs/fs/served"
)

// Mountpoint is where lxcfs is mounted by its unit.
const Mountpoint = "/var/lib/lxcfs"

// Files returns what a drop-in or a command line that is written once can name, in
// order: lxcfs serves each of them only where the host has it.
func Files() []string {
	var files []string
	for _, p := range served.Paths() {
		if p.Bound() {
			files = append(files, p.Name)
		}
	}
	slices.Sort(files)
	return files
}

// RuncAllows reports whether runc lets a mount be made over a path, see
// [served.Path].
func RuncAllows(path string) bool {
	return strings.HasPrefix(path, "/sys/") ||
		slices.ContainsFunc(served.Paths(), func(p served.Path) bool { return p.Name == path && p.Runc })
}
