package proc

import (
	"sort"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

const diskstatsFile = "/proc/diskstats"

// AppendDiskstats appends /proc/diskstats, Documentation/admin-guide/iostats.rst,
// with the devices that the container has used, and those that it may open.
//
//	254       0 vda 77021 26217 2666642 13308 85901 35203 10360144 37726 0 11568 52524 12038 33 2290976 901 16227 588
//
// Cgroups account whole disks: a partition has zeros, and a line only if the
// container may open it. A container that used none and may open none has a line
// of zeros for a disk of the host: no kernel with a disk writes an empty file.
// Order, names, columns and their number are the host's (11 fields up to Linux
// 4.17, 15 with discards, 17 since 5.5 with flushes). See [diskFields] for the
// values.
//
// iostat(1) reads this file for -p ALL, else /sys/block, which package sys
// makes from it.
func AppendDiskstats(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(diskstatsFile, host); err != nil {
		return dst, err
	}
	out := dst
	for rest := host; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		major, minor, names, ok := parseDevice(line)
		if !ok {
			return dst, malformed(diskstatsFile, line)
		}
		io, shown := findDisk(v, major, minor)
		if !shown {
			continue
		}
		if out, ok = appendDisk(out, line, names, &io); !ok {
			return dst, malformed(diskstatsFile, line)
		}
	}
	return out, nil
}

// parseDevice returns the two numbers that begin the line of a block device, and
// what follows them.
func parseDevice(line []byte) (major, minor uint64, rest []byte, ok bool) {
	field, rest := cutField(line)
	if major, ok = parseUint(field); !ok {
		return 0, 0, rest, false
	}
	field, rest = cutField(rest)
	minor, ok = parseUint(field)
	return major, minor, rest, ok
}

// findDisk returns the container's I/O on a device, and whether it is one of its
// devices at all. v.IO is sorted by device number.
func findDisk(v *view.View, major, minor uint64) (cgroup.IOStat, bool) {
	if major >= cgroup.AnyNumber || minor >= cgroup.AnyNumber {
		return cgroup.IOStat{}, false
	}
	i := sort.Search(len(v.IO), func(i int) bool {
		io := &v.IO[i]
		return uint64(io.Major) > major || uint64(io.Major) == major && uint64(io.Minor) >= minor
	})
	if i < len(v.IO) && uint64(v.IO[i].Major) == major && uint64(v.IO[i].Minor) == minor {
		return v.IO[i], true
	}
	return cgroup.IOStat{}, v.Devices.Has(uint32(major), uint32(minor))
}

// appendDisk appends line with the container's numbers; names is the part of the
// line that begins before the device's name.
func appendDisk(dst, line, names []byte, io *cgroup.IOStat) ([]byte, bool) {
	name, rest := cutField(names)
	if len(name) == 0 {
		return dst, false
	}
	dst = append(dst, line[:len(line)-len(rest)]...)
	values := diskFields(io)
	column := 0
	for ; ; column++ {
		field, after := cutField(rest)
		if len(field) == 0 {
			break
		}
		old, ok := parseUint(field)
		if !ok {
			return dst, false
		}
		var value uint64
		if column < len(values) {
			value = values[column]
		}
		if column == busyField {
			value = min(value, old)
		}
		dst = append(dst, rest[:len(rest)-len(after)-len(field)]...)
		dst = appendUint(dst, value, 0)
		rest = after
	}
	return append(dst, rest...), column >= 4
}

// busyField is the time in which the device had requests. Of a container, only
// an upper bound is known: the time of its requests, and the device's own.
const busyField = 9

// diskFields returns the fields of iostats.rst in their order: sectors are 512
// bytes, times milliseconds. Times and merges are known on v1 with BFQ's
// statistics only, requests in flight and flushes never: these are 0.
func diskFields(io *cgroup.IOStat) [17]uint64 {
	const nsecPerMsec = 1_000_000
	read, write, discard := io.ReadNsec/nsecPerMsec, io.WriteNsec/nsecPerMsec, io.DiscardNsec/nsecPerMsec
	all := ceilAdd(ceilAdd(read, write), discard)
	return [17]uint64{
		io.Rios, io.RMerged, io.Rbytes >> 9, read,
		io.Wios, io.WMerged, io.Wbytes >> 9, write,
		0, all, all,
		io.Dios, io.DMerged, io.Dbytes >> 9, discard,
		0, 0,
	}
}
