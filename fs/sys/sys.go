package sys

import "linuxcontainers.org/lxcfs/fs/view"

// File is one file of /sys that has a container's own content.
type File struct {
	// Name is the path below /sys.
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
		{"devices/system/cpu/offline", view.NeedCPUs | view.NeedPossible, AppendOffline},
		{"devices/system/cpu/online", view.NeedCPUs, AppendOnline},
		{"devices/system/cpu/possible", 0, AppendHost},
		{"devices/system/cpu/present", 0, AppendHost},
	}
}
