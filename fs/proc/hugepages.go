package proc

import (
	"bytes"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// huge is a container's part of the host's pool of huge pages of the default
// size, pages; sizeKB is that of one.
//
//	HugePages_Total:      16
//	HugePages_Free:        9
//	HugePages_Rsvd:        2
//	HugePages_Surp:        0
//	Hugepagesize:       2048 kB
//	Hugetlb:           32768 kB
type huge struct {
	known                     bool
	total, free, rsvd, sizeKB uint64
}

// newHuge returns the part: as many pages as the limit allows, of the host's;
// free are those that neither the container nor, as far as the host has less
// left, anybody uses. Surplus pages are the machine's: 0. Hugetlb is of the
// default size alone, as no other is known of the container.
func newHuge(host []byte, limits *view.Hugetlb) (h huge, err error) {
	if !limits.Known {
		return h, nil
	}
	h.known = true
	var hostFree, hostRsvd uint64
	for _, line := range [...]struct {
		name  string
		value *uint64
	}{
		{"HugePages_Total", &h.total}, {"HugePages_Free", &hostFree},
		{"HugePages_Rsvd", &hostRsvd}, {"Hugepagesize", &h.sizeKB},
	} {
		if *line.value, err = hostKB(host, line.name); err != nil {
			return h, err
		}
	}
	size := h.sizeKB << 10
	if size == 0 {
		return huge{}, malformed(meminfoFile, []byte("Hugepagesize: 0 kB"))
	}
	if limits.Limit != cgroup.Max {
		h.total = min(h.total, limits.Limit/size)
	}
	h.free = min(hostFree, floorSub(h.total, limits.Usage/size))
	h.rsvd = min(hostRsvd, h.free)
	return h, nil
}

// value returns the number of a line that is about huge pages.
func (h *huge) value(key []byte) (n uint64, known bool) {
	switch string(key) {
	case "HugePages_Total":
		return h.total, true
	case "HugePages_Free":
		return h.free, true
	case "HugePages_Rsvd":
		return h.rsvd, true
	case "HugePages_Surp":
		return 0, true
	case "Hugetlb": // since Linux 4.20
		return h.total * h.sizeKB, true
	}
	return 0, false
}

// isCount reports whether a line is one of those that count pages, which have no
// unit after the number.
func isCount(line []byte, end int) bool {
	return bytes.HasPrefix(line, []byte("HugePages_")) && string(line[end:]) == "\n"
}
