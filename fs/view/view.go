package view

import (
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
)

// CPUPolicy says how many CPUs a container is shown.
type CPUPolicy uint8

// The policies.
const (
	// Auto is Quota for application containers, CPUSet for all others.
	Auto CPUPolicy = iota
	// CPUSet shows the CPUs of the effective cpuset: how many can run at once.
	CPUSet
	// Quota shows the first n CPUs of the cpuset, n being the smallest quota
	// of the container and its ancestors, in CPUs, rounded up.
	Quota
)

// Options are the settings of one connection.
type Options struct {
	CPU                  CPUPolicy
	Swap, Zswap, Loadavg bool
}

// Needs says which parts of a View a file is made from.
type Needs uint32

// The parts.
const (
	NeedMemory      Needs = 1 << iota // Memory, PageSize, HugeSize, NodesSize
	NeedCPUs                          // CPUs
	NeedCPUTime                       // CPUTotal, CPUTicks, Base; brings NeedCPUs
	NeedUptime                        // Uptime, Idle; brings NeedCPUTime and NeedClock
	NeedLoad                          // Load, Running, Threads, HostPIDs, LastPID
	NeedIO                            // IO
	NeedTasks                         // Tasks; brings NeedCPUTime
	NeedEvents                        // OOMKills
	NeedNodes                         // Nodes
	NeedHugetlb                       // Hugetlb
	NeedPossible                      // Possible
	NeedDisks                         // Devices; brings NeedIO
	NeedClock                         // ClockOffset
	NeedHostMemory                    // Host
	NeedUsageByNode                   // UsageByNode

	// One of these at a time: Pressure.
	NeedCPUPressure
	NeedIOPressure
	NeedIRQPressure
	NeedMemoryPressure
)

// View is a snapshot of what one container may see. Only the parts asked for
// are filled in.
type View struct {
	// Memory is usage and effective limits, bytes.
	Memory cgroup.Memory
	// PageSize and HugeSize are the sizes of the kernel's pages and of its
	// transparent huge pages, bytes.
	PageSize, HugeSize uint64
	// NodesSize is what the nodes have from which the container may allocate,
	// bytes; 0 where that is all that the host has.
	NodesSize uint64
	// UsageByNode is what of the container's memory is on which node; none where
	// the kernel does not say.
	UsageByNode []cgroup.NodeMemory
	// Host is what the host has.
	Host HostMemory
	// Hugetlb is the container's part of the host's huge pages.
	Hugetlb Hugetlb
	// SwapShown and ZswapShown are off when the options say so.
	SwapShown, ZswapShown bool

	// CPUs are the visible CPUs by their numbers on the host; never empty.
	CPUs cgroup.CPUSet
	// Possible are the CPUs that the host may ever have, fixed at its boot: no
	// container has fewer.
	Possible cgroup.CPUSet
	// CPUTotal is the CPU time of the container since its start, of CPUs that
	// are visible and that were.
	CPUTotal CPUTicks
	// CPUTicks has one entry for each of CPUs, ascending.
	CPUTicks []PerCPU

	// Base is what the host had counted when the container started.
	Base HostCounts

	// Reader is the thread that reads, a host thread id, which Gather is told; 0
	// for nobody.
	Reader uint32
	// ClockOffset is by how much the boot clock of the reader's time namespace is
	// ahead of the daemon's.
	ClockOffset time.Duration

	// Uptime is the time since the container's start, or, with a ClockOffset, the
	// reader's boot clock. Idle is the sum of the idle time of its CPUs.
	Uptime, Idle time.Duration

	// LoadKnown is false when load averages are not to be shown.
	LoadKnown bool
	// Load are the averages of 1, 5 and 15 minutes in units of 1/2048.
	Load [3]uint64
	// Running and Threads count runnable and all threads, at least 1: the reader.
	Running, Threads int
	// HostPIDs: the container has no pid namespace of its own, so that its /proc
	// has all of the host's processes.
	HostPIDs bool
	// LastPID is the newest process, in the container's own numbering.
	LastPID uint32

	// IO has one entry for each device that the container used, by major and
	// minor number; none where nothing counts its I/O. With Devices, of which it
	// used none and may open none, an unused one that stands for all.
	IO []cgroup.IOStat
	// Devices are the block devices that the container may open.
	Devices Devices

	// OOMKills is how many processes the out-of-memory killer ended.
	OOMKills uint64

	// Tasks are the container's processes.
	Tasks Tasks

	// Nodes are the memory nodes that the container may allocate from, by their
	// numbers on the host; nil: any.
	Nodes cgroup.CPUSet

	// Pressure is the text of one pressure file of the container's cgroup;
	// empty where the kernel keeps none for it.
	Pressure []byte

	partial bool            // the quota hides CPUs on which the container may run
	usage   cgroup.CPUUsage // storage of Gather
	stat    []byte
	busy    []uint64
}

// Tasks is what /proc/stat counts of processes.
type Tasks struct {
	// Processes is the highest pid that was seen in the container, in its own
	// numbering: pids are given in sequence from 1, so this is the number of
	// forks, until they wrap at pid_max. It never goes back.
	Processes uint64
	// Running counts threads in state R, at least 1 (the reader); Blocked those
	// in state D.
	Running, Blocked uint64
}

// HostCounts are totals of /proc/stat, of the whole machine. What they were at a
// container's start, which nobody noted, is reckoned from their mean rate since
// boot when the container is first seen, and kept.
type HostCounts struct{ Ctxt, Intr, Softirq uint64 }

// CPUTicks is CPU time in units of 1/100 s (USER_HZ).
type CPUTicks struct {
	User, Nice, System, Idle, Iowait, Irq, Softirq, Steal uint64
}

// PerCPU is the time of one CPU.
type PerCPU struct {
	CPU int
	CPUTicks
}

// File is a served file that has a container's own content.
type File struct {
	// Path is the host's file and, below the mount point, ours: "/proc/stat".
	Path string
	// Needs says which parts of the View Append reads.
	Needs Needs
	// Append appends the file, made from the host's own file, to dst. On error
	// it returns dst as it was given. It does not keep host or v.
	Append func(dst, host []byte, v *View) ([]byte, error)
}
