package proc

import "linuxcontainers.org/lxcfs/fs/view"

// Files returns the files of the table that this package renders, by path.
func Files() []view.File {
	return []view.File{
		{Path: "/proc/cpuinfo", Needs: view.NeedCPUs, Append: AppendCpuinfo},
		{Path: "/proc/diskstats", Needs: view.NeedIO | view.NeedDisks, Append: AppendDiskstats},
		{Path: "/proc/loadavg", Needs: view.NeedLoad, Append: AppendLoadavg},
		{Path: "/proc/meminfo", Needs: view.NeedMemory | view.NeedHugetlb, Append: AppendMeminfo},
		{Path: "/proc/partitions", Needs: view.NeedIO | view.NeedDisks, Append: AppendPartitions},
		{Path: "/proc/pressure/cpu", Needs: view.NeedCPUPressure, Append: AppendPressure},
		{Path: "/proc/pressure/io", Needs: view.NeedIOPressure, Append: AppendPressure},
		{Path: "/proc/pressure/irq", Needs: view.NeedIRQPressure, Append: AppendPressure},
		{Path: "/proc/pressure/memory", Needs: view.NeedMemoryPressure, Append: AppendPressure},
		{Path: "/proc/slabinfo", Append: AppendSlabinfo},
		{Path: "/proc/stat", Needs: view.NeedCPUs | view.NeedCPUTime | view.NeedTasks | view.NeedClock, Append: AppendStat},
		{Path: "/proc/swaps", Needs: view.NeedMemory, Append: AppendSwaps},
		{Path: "/proc/uptime", Needs: view.NeedUptime, Append: AppendUptime},
		{
			Path:   "/proc/vmstat",
			Needs:  view.NeedMemory | view.NeedHostMemory | view.NeedHugetlb | view.NeedIO | view.NeedEvents,
			Append: AppendVmstat,
		},
	}
}
