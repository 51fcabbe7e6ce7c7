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
		{"cpuinfo", view.NeedCPUs, AppendCpuinfo},
		{"diskstats", view.NeedIO, AppendDiskstats},
		{"loadavg", view.NeedLoad, AppendLoadavg},
		{"meminfo", view.NeedMemory, AppendMeminfo},
		{"partitions", view.NeedIO, AppendPartitions},
		{"pressure/cpu", view.NeedCPUPressure, AppendPressure},
		{"pressure/io", view.NeedIOPressure, AppendPressure},
		{"pressure/irq", view.NeedIRQPressure, AppendPressure},
		{"pressure/memory", view.NeedMemoryPressure, AppendPressure},
		{"slabinfo", 0, AppendSlabinfo},
		{"stat", view.NeedCPUs | view.NeedCPUTime | view.NeedTasks, AppendStat},
		{"swaps", view.NeedMemory, AppendSwaps},
		{"uptime", view.NeedUptime, AppendUptime},
		{"vmstat", view.NeedMemory, AppendVmstat},
	}
}
