package cgroup

import (
	"bytes"
	"cmp"
	"slices"
)

// IOStat is the I/O of a cgroup, and all below it, on one block device.
type IOStat struct {
	Major, Minor           uint32
	Rbytes, Wbytes, Dbytes uint64 // bytes read, written, discarded
	Rios, Wios, Dios       uint64 // requests

	// v1 with the BFQ debugging statistics only, else 0.
	ReadNsec, WriteNsec, DiscardNsec uint64 // service and wait time
	RMerged, WMerged, DMerged        uint64 // merged requests
}

// ReadIO returns m's I/O sorted by device number: io.stat, v1 blkio.*_recursive;
// and where that is from, on v1 the first of several files. The result overwrites
// dst's storage. The error is fs.ErrNotExist where nothing is counted for m.
func (h *Host) ReadIO(m Membership, dst []IOStat) ([]IOStat, Origin, error) {
	const file = "io.stat"
	t := ioTable{stats: dst[:0]}
	p, err := h.place(m, "io")
	if err != nil {
		return t.stats, Origin{}, err
	}
	buf := h.buffer()
	defer h.release(buf)
	var from Origin
	if p.hierarchy.Version == 1 {
		from, err = h.readBlkio(buf, p, &t)
	} else {
		var b []byte
		if b, p, err = h.charged(buf, p, file); err != nil {
			return t.stats, from, err
		}
		if err = parseIOStat(b, &t); err != nil {
			err = formatIn(file, p.dir, err)
		}
		from = p.origin(file)
	}
	slices.SortFunc(t.stats, func(a, b IOStat) int {
		return cmp.Or(cmp.Compare(a.Major, b.Major), cmp.Compare(a.Minor, b.Minor))
	})
	return t.stats, from, err
}

// ioTable collects the devices in the order of the file. The files of one
// cgroup have the same order, so the search begins after the last one found.
type ioTable struct {
	stats []IOStat
	next  int
}

func (t *ioTable) at(major, minor uint32) *IOStat {
	for n := range t.stats {
		i := (t.next + n) % len(t.stats)
		if s := &t.stats[i]; s.Major == major && s.Minor == minor {
			t.next = i
			return s
		}
	}
	t.next = len(t.stats)
	t.stats = append(t.stats, IOStat{Major: major, Minor: minor})
	return &t.stats[t.next]
}

// parseDevice parses "8:0".
func parseDevice(b []byte) (major, minor uint32, ok bool) {
	high, low, _ := bytes.Cut(b, []byte(":"))
	ma, ok1 := parseDigits(high)
	mi, ok2 := parseDigits(low)
	const bits12, bits20 = 1 << 12, 1 << 20 // MAJOR, MINOR: include/linux/kdev_t.h
	return uint32(ma), uint32(mi), ok1 && ok2 && ma < bits12 && mi < bits20
}

// unknownDevice is printed for a device that is being removed: bdi_dev_name.
const unknownDevice = "(unknown)"

// parseIOStat parses io.stat, nested keyed:
//
//	8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0
//	7:7 7:6 8:0 rbytes=90430464 wbytes=299008000 rios=8950 wios=1252 dbytes=0 dios=0
//
// Linux 5.16 to 5.18 print devices without numbers on the line of the next
// one, as in the second line. Unknown keys (cost.usage=) are skipped.
func parseIOStat(content []byte, t *ioTable) error {
	for len(content) > 0 {
		line, rest, terminated := cutLine(content)
		if !terminated || !parseIOLine(line, t) {
			return formatError(line)
		}
		content = rest
	}
	return nil
}

func parseIOLine(line []byte, t *ioTable) bool {
	var major, minor uint32
	var device, known bool
	for rest := line; len(rest) > 0; {
		var field []byte
		field, rest = cutField(rest)
		key, value, pair := bytes.Cut(field, []byte("="))
		switch {
		case len(field) == 0:
		case !pair:
			major, minor, device = parseDevice(field)
			if known = device; !device && string(field) != unknownDevice {
				return false
			}
			device = true
		case !device:
			return false
		case known && !t.at(major, minor).setKey(key, value):
			return false
		}
	}
	return device
}

// setKey sets the field of a key; false is for a known key with a bad value.
func (s *IOStat) setKey(key, value []byte) (ok bool) {
	var dst *uint64
	switch string(key) {
	case "rbytes":
		dst = &s.Rbytes
	case "wbytes":
		dst = &s.Wbytes
	case "dbytes":
		dst = &s.Dbytes
	case "rios":
		dst = &s.Rios
	case "wios":
		dst = &s.Wios
	case "dios":
		dst = &s.Dios
	default:
		return true
	}
	*dst, ok = parseDigits(value)
	return ok
}
