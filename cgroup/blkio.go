package cgroup

import (
	"errors"
	"io/fs"
)

// blkioMetrics are the v1 files of each metric; the first that has a device
// counts. blk-throttle counts for every scheduler, but since Linux 6.10 only
// after a limit was set; BFQ counts its own devices, its times and merges with
// CONFIG_BFQ_CGROUP_DEBUG only. Each add function gets a direction and a value.
var blkioMetrics = [...]struct {
	files []string
	add   func(s *IOStat, direction string, v uint64)
}{
	{[]string{"blkio.throttle.io_service_bytes_recursive", "blkio.bfq.io_service_bytes_recursive"},
		func(s *IOStat, d string, v uint64) { addTo(d, v, &s.Rbytes, &s.Wbytes, &s.Dbytes) }},
	{[]string{"blkio.throttle.io_serviced_recursive", "blkio.bfq.io_serviced_recursive"},
		func(s *IOStat, d string, v uint64) { addTo(d, v, &s.Rios, &s.Wios, &s.Dios) }},
	{[]string{"blkio.bfq.io_merged_recursive"},
		func(s *IOStat, d string, v uint64) { addTo(d, v, &s.RMerged, &s.WMerged, &s.DMerged) }},
	{[]string{"blkio.bfq.io_service_time_recursive"}, addTime},
	{[]string{"blkio.bfq.io_wait_time_recursive"}, addTime},
}

func addTime(s *IOStat, d string, v uint64) {
	addTo(d, v, &s.ReadNsec, &s.WriteNsec, &s.DiscardNsec)
}

func addTo(direction string, v uint64, read, write, discard *uint64) {
	switch direction {
	case "Read":
		*read += v
	case "Write":
		*write += v
	case "Discard":
		*discard += v
	}
}

// readBlkio reads the blkio files of a v1 cgroup, and says which is the first that
// has a device, or that is there when none has. It is fs.ErrNotExist when there is
// none.
func (h *Host) readBlkio(buf *[]byte, p place, t *ioTable) (from Origin, err error) {
	counted := false
	for _, metric := range blkioMetrics {
		for _, file := range metric.files {
			b, err := h.rareContent(buf, p.dir, file)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return from, err
			}
			devices, err := parseBlkio(b, t, metric.add)
			if err != nil {
				return from, formatIn(file, p.dir, err)
			}
			if from.file == "" || devices && !counted {
				from, counted = p.origin(file), devices
			}
			if devices {
				break
			}
		}
	}
	if from.file == "" {
		return from, &fs.PathError{Op: "open", Path: p.dir + "/" + blkioMetrics[0].files[0], Err: fs.ErrNotExist}
	}
	return from, nil
}

// parseBlkio parses a blkio.*_recursive file:
//
//	8:0 Read 1459200
//	8:0 Write 314773504
//	8:0 Sync 1459200
//	8:0 Async 314773504
//	8:0 Discard 0
//	8:0 Total 316232704
//	Total 316232704
//
// Sync and Async count the same I/O another way, Total is the sum: unused. With
// no I/O there is the last line only. devices says whether there was another.
func parseBlkio(content []byte, t *ioTable, add func(*IOStat, string, uint64)) (devices bool, err error) {
	for len(content) > 0 {
		line, rest, terminated := cutLine(content)
		device, tail := cutField(line)
		direction, value := cutField(tail)
		if string(device) == "Total" {
			direction, value = device, tail
		}
		v, ok := parseDigits(value)
		if !ok || !terminated {
			return devices, formatError(line)
		}
		content = rest
		if string(device) == "Total" || string(device) == unknownDevice {
			continue
		}
		major, minor, ok := parseDevice(device)
		if !ok {
			return devices, formatError(line)
		}
		devices = true
		add(t.at(major, minor), direct(direction), v)
	}
	return devices, nil
}

// direct returns the direction as a string that needs no allocation, "" for
// those that are unused.
func direct(b []byte) string {
	switch string(b) {
	case "Read":
		return "Read"
	case "Write":
		return "Write"
	case "Discard":
		return "Discard"
	}
	return ""
}
