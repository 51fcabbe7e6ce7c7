package proc

import (
	"bytes"
	"strconv"
	"time"

	"linuxcontainers.org/lxcfs/fs/view"
)

// Figures are numbers that a container's files show, for who wants them without the
// text. Each method takes what the renderer of its file does, and v is nil where the
// file is the host's own.
type Figures struct {
	MemTotal, MemFree, MemAvailable, SwapTotal, SwapFree uint64 // bytes, in meminfo

	CPUTicks uint64        // user, nice and system in stat, USER_HZ
	Load     [3]float64    // in loadavg
	Threads  uint64        // likewise
	Uptime   time.Duration // in hundredths of a second
}

// TakeMeminfo takes the numbers of /proc/meminfo.
func (f *Figures) TakeMeminfo(host []byte, v *view.View) (err error) {
	var m meminfo
	if v != nil {
		if m, err = newMeminfo(host, v); err != nil {
			return err
		}
	}
	for name, into := range map[string]*uint64{
		"MemTotal": &f.MemTotal, "MemFree": &f.MemFree, "MemAvailable": &f.MemAvailable,
		"SwapTotal": &f.SwapTotal, "SwapFree": &f.SwapFree,
	} {
		kB, err := hostKB(host, name)
		if err != nil {
			return err
		}
		if v != nil {
			kB, _ = m.value([]byte(name), kB)
		}
		*into = kB << 10
	}
	return nil
}

// TakeStat takes the CPU time of /proc/stat.
func (f *Figures) TakeStat(host []byte, v *view.View) error {
	if v != nil {
		f.CPUTicks = v.CPUTotal.User + v.CPUTotal.Nice + v.CPUTotal.System
		return nil
	}
	line, _ := cutLine(host)
	fields := bytes.Fields(line)
	if len(fields) < 4 || string(fields[0]) != "cpu" {
		return malformed(statFile, line)
	}
	f.CPUTicks = 0
	for _, field := range fields[1:4] {
		n, ok := parseUint(field)
		if !ok {
			return malformed(statFile, line)
		}
		f.CPUTicks += n
	}
	return nil
}

// TakeLoadavg takes the numbers of /proc/loadavg.
func (f *Figures) TakeLoadavg(host []byte, v *view.View) (err error) {
	line, _ := cutLine(host)
	fields := bytes.Fields(line)
	if len(fields) != 5 {
		return malformed(loadavgFile, line)
	}
	for i := range f.Load {
		if f.Load[i], err = strconv.ParseFloat(string(fields[i]), 64); err != nil {
			return malformed(loadavgFile, line)
		}
	}
	_, threads, _ := bytes.Cut(fields[3], []byte("/"))
	var ok bool
	if f.Threads, ok = parseUint(threads); !ok {
		return malformed(loadavgFile, line)
	}
	if v == nil || !v.LoadKnown {
		return nil
	}
	for i, load := range v.Load {
		f.Load[i] = float64(loadHundredths(load)) / 100
	}
	if !v.HostPIDs {
		f.Threads = uint64(v.Threads)
	}
	return nil
}

// TakeUptime takes the first number of /proc/uptime.
func (f *Figures) TakeUptime(host []byte, v *view.View) error {
	const hundredth = 10 * time.Millisecond
	if v != nil {
		f.Uptime = time.Duration(hundredths(v.Uptime)) * hundredth
		return nil
	}
	field, _ := cutField(host)
	seconds, err := strconv.ParseFloat(string(field), 64)
	if err != nil {
		return malformed("/proc/uptime", host)
	}
	f.Uptime = time.Duration(seconds*100+0.5) * hundredth
	return nil
}
