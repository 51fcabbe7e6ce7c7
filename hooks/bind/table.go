package bind

// Mountpoint is where lxcfs is mounted by its unit.
const Mountpoint = "/var/lib/lxcfs"

// File is a path that lxcfs may serve; below the mountpoint and in a container
// it is the same.
type File struct {
	// Path is absolute: "/proc/meminfo".
	Path string
	// Runc: runc lets a mount be made over it, so docker and containerd do
	// (libcontainer/rootfs_linux.go, checkProcMount; outside /proc it allows
	// all). For the others a hook is needed.
	Runc bool
}

// Files returns what a drop-in or a command line that is written once can name:
// lxcfs serves each of them only where the host has it.
func Files() []File {
	return []File{
		{"/proc/cpuinfo", true},
		{"/proc/diskstats", true},
		{"/proc/loadavg", true},
		{"/proc/meminfo", true},
		{"/proc/partitions", false},
		{"/proc/pressure/cpu", false},
		{"/proc/pressure/io", false},
		{"/proc/pressure/irq", false},
		{"/proc/pressure/memory", false},
		{"/proc/slabinfo", true},
		{"/proc/stat", true},
		{"/proc/swaps", true},
		{"/proc/uptime", true},
		{"/proc/vmstat", false},
		{"/sys/block", true},
		{"/sys/devices/system/cpu", true},
		{"/sys/devices/system/memory", true},
		{"/sys/devices/system/node", true},
	}
}

// RuncAllows reports whether runc lets a mount be made over a path.
func RuncAllows(path string) bool {
	for _, f := range Files() {
		if f.Path == path {
			return f.Runc
		}
	}
	return len(path) > 5 && path[:5] == "/sys/"
}
