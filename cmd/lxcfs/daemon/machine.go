package daemon

import (
	"fmt"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/fs/view"
	"linuxcontainers.org/lxcfs/units/mount"
)

// machine is what all connections share: the host, and who lives on it.
type machine struct {
	files    hostfile.FS
	host     *cgroup.Host
	resolver *container.Resolver
	loads    *view.Loads
	cpus     int // possible CPUs, for the size of the accounts
	cgroups  cgroupTree
}

func newMachine() (*machine, error) {
	files := hostfile.NewHeld(process.HeldFiles())
	if err := refuseOwnFiles(files); err != nil {
		return nil, err
	}
	host, err := cgroup.Detect(files)
	if err != nil {
		return nil, fmt.Errorf("cgroup hierarchies: %w", err)
	}
	return &machine{
		files:    openFiles{files},
		host:     host,
		resolver: container.New(host, container.Options{}),
		loads:    view.NewLoads(host, bootClock),
		cpus:     possibleCPUs(files),
	}, nil
}

// refuseOwnFiles makes sure that the host's files are the kernel's: a daemon
// that reads its own mount waits for itself and cannot be killed.
func refuseOwnFiles(files hostfile.FS) error {
	table, err := mount.ReadTable(files)
	if err != nil {
		return err
	}
	for _, e := range table.Ours() {
		if strings.HasPrefix(e.MountPoint, "/proc/") || strings.HasPrefix(e.MountPoint, "/sys/") {
			return fmt.Errorf("%s is a file of lxcfs here: lxcfs must run where /proc and /sys are the kernel's", e.MountPoint)
		}
	}
	return nil
}

// possibleCPUs returns how many CPU numbers the kernel may ever use.
func possibleCPUs(files hostfile.FS) int {
	text, err := files.Append(nil, "/sys/devices/system/cpu/possible")
	if err != nil {
		return 1
	}
	set, err := cgroup.ParseCPUList(text)
	if err != nil {
		return 1
	}
	return set.Last() + 1
}
