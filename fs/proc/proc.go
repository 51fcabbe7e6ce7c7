package proc

import "linuxcontainers.org/lxcfs/fs/view"

// File is one file of /proc that has a container's own content.
type File struct {
	// Name is the path below /proc.
	Name string
	// Needs says which parts of the View Append reads.
	Needs view.Needs
	// Append appends the file, made from the host's own file, to dst. On error
	// it returns dst as it was given. It does not keep host or v.
	Append func(dst, host []byte, v *view.View) ([]byte, error)
}

// Files returns the files that this package renders, by name.
func Files() []File {
	return []File{
		{Name: "cpuinfo", Needs: view.NeedCPUs, Append: AppendCpuinfo},
		{Name: "diskstats", Needs: view.NeedIO | view.NeedDisks, Append: AppendDiskstats},
		{Name: "loadavg", Needs: view.NeedLoad, Append: AppendLoadavg},
		{Name: "meminfo", Needs: view.NeedMemory | view.NeedHugetlb, Append: AppendMeminfo},
		{Name: "partitions", Needs: view.NeedIO | view.NeedDisks, Append: AppendPartitions},
		{Name: "pressure/cpu", Needs: view.NeedCPUPressure, Append: AppendPressure},
		{Name: "pressure/io", Needs: view.NeedIOPressure, Append: AppendPressure},
		{Name: "pressure/irq", Needs: view.NeedIRQPressure, Append: AppendPressure},
		{Name: "pressure/memory", Needs: view.NeedMemoryPressure, Append: AppendPressure},
		{Name: "slabinfo", Needs: 0, Append: AppendSlabinfo},
		{Name: "stat", Needs: view.NeedCPUs | view.NeedCPUTime | view.NeedTasks | view.NeedClock, Append: AppendStat},
		{Name: "swaps", Needs: view.NeedMemory, Append: AppendSwaps},
		{Name: "uptime", Needs: view.NeedUptime, Append: AppendUptime},
		{Name: "vmstat", Needs: view.NeedMemory | view.NeedHostMemory | view.NeedHugetlb | view.NeedIO | view.NeedEvents, Append: AppendVmstat},
	}
}
