package proc

import (
	"bytes"

	"linuxcontainers.org/lxcfs/fs/view"
)

const partitionsFile = "/proc/partitions"

// AppendPartitions appends /proc/partitions, proc_partitions(5), with the
// devices of the container's /proc/diskstats: whole disks that it used, and disks
// and partitions that it may open.
//
//	major minor  #blocks  name
//
//	 254        0  268435456 vda
func AppendPartitions(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(partitionsFile, host); err != nil {
		return dst, err
	}
	out := dst
	for rest := host; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		if len(line) > 1 && !bytes.HasPrefix(line, []byte("major ")) {
			major, minor, _, ok := parseDevice(line)
			if !ok {
				return dst, malformed(partitionsFile, line)
			}
			if _, shown := findDisk(v, major, minor); !shown {
				continue
			}
		}
		out = append(out, line...)
	}
	return out, nil
}
