package view

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
)

// disks fills in Devices, and of a container that neither used nor may open any
// of the host's disks IO with one that the host used, and zeros: no machine
// with a disk has an empty /proc/diskstats.
func (g *Gatherer) disks(dst *View, c *container.Container, _ Options) error {
	began := g.clock()
	facts, ok := g.devices.get(c.Key, began)
	if !ok {
		facts.devices, facts.err = g.readDevices(c)
		now := g.clock()
		facts.until = now + max(deviceAge, deviceShare*(now-began))
		g.devices.put(c.Key, facts, now)
	}
	if facts.err != nil {
		return facts.err
	}
	dst.Devices = facts.devices
	const name = "/proc/diskstats"
	var err error
	if dst.stat, err = g.host.FS.Append(dst.stat[:0], name); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // CONFIG_BLOCK=n
		}
		return err
	}
	standIn, needed, err := standInDisk(dst.stat, dst)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if needed {
		dst.IO = append(dst.IO[:0], standIn)
	}
	return nil
}

// shows says whether the container used a device or may open it.
func (v *View) shows(major, minor uint32) bool {
	for i := range v.IO {
		if v.IO[i].Major == major && v.IO[i].Minor == minor {
			return true
		}
	}
	return v.Devices.Has(major, minor)
}

// standInDisk returns the first device in the host's /proc/diskstats that the host
// read from and that is no loop device or RAM disk, else the first of those, else
// the first of all; unless there is one that v shows.
func standInDisk(diskstats []byte, v *View) (disk cgroup.IOStat, needed bool, err error) {
	const ramdisk, loop = 1, 7 // Documentation/admin-guide/devices.txt
	best := 0
	for line := range bytes.Lines(diskstats) {
		major, minor, reads, ok := parseDisk(line)
		if !ok {
			return disk, false, fmt.Errorf("%w: %q", cgroup.ErrFormat, line)
		}
		if v.shows(major, minor) {
			return disk, false, nil
		}
		rank := 1
		if reads > 0 {
			rank = 2
			if major != ramdisk && major != loop {
				rank = 3
			}
		}
		if rank > best {
			best, needed = rank, true
			disk = cgroup.IOStat{Major: major, Minor: minor}
		}
	}
	return disk, needed, nil
}

// parseDisk parses the beginning of a line of /proc/diskstats:
//
//	254       0 vda 77021 26217
func parseDisk(line []byte) (major, minor uint32, reads uint64, ok bool) {
	var numbers [4]uint64
	i := 0
	for field := range bytes.FieldsSeq(line) {
		if i != 2 { // the name
			n, err := strconv.ParseUint(string(field), 10, 64)
			if err != nil {
				return 0, 0, 0, false
			}
			numbers[i] = n
		}
		if i++; i == len(numbers) {
			break
		}
	}
	ok = i == len(numbers) && max(numbers[0], numbers[1]) < cgroup.AnyNumber
	return uint32(numbers[0]), uint32(numbers[1]), numbers[3], ok
}
