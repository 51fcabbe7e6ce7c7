package proc

import (
	"bytes"

	"linuxcontainers.org/lxcfs/fs/memory"
	"linuxcontainers.org/lxcfs/fs/view"
)

const meminfoFile = "/proc/meminfo"

// AppendMeminfo appends /proc/meminfo, proc_meminfo(5).
//
//	MemTotal:       24684092 kB
//	VmallocTotal:   34359738367 kB
//	HugePages_Total:       0
//
// A number has at least eight columns (fs/proc/meminfo.c, show_val_kb). Which
// lines there are, and their order, is the host's. The line of each field is
// the container's or 0 for what a container does not have ([memory.Memory.Meminfo]
// and [memory.Memory.CommitLimit]), or the host's: VmallocTotal and VmallocChunk
// (the address space), Hugepagesize, DirectMap* (the machine), and lines not
// known here. HugePages_* and Hugetlb are one pool for all, outside the memory
// limit: where a hugetlb controller limits the container they are its part of the
// pool ([huge]), else the host's.
func AppendMeminfo(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(meminfoFile, host); err != nil {
		return dst, err
	}
	m, err := newMeminfo(host, v)
	if err != nil {
		return dst, err
	}
	out := dst
	for rest := host; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		key, _, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			out = append(out, line...)
			continue
		}
		if out, ok = m.appendLine(out, line, key); !ok {
			return dst, malformed(meminfoFile, line)
		}
	}
	return out, nil
}

// meminfo is what the container's lines are made of.
type meminfo struct {
	memory                memory.Memory
	huge                  huge
	hostSwap, hostNotHuge uint64 // kB
}

func newMeminfo(host []byte, v *view.View) (m meminfo, err error) {
	total, err := hostKB(host, "MemTotal")
	if err != nil {
		return m, err
	}
	if m.hostSwap, err = hostKB(host, "SwapTotal"); err != nil {
		return m, err
	}
	m.hostNotHuge = total
	if bytes.Contains(host, []byte("\nHugetlb:")) { // since Linux 4.20, CONFIG_HUGETLB_PAGE
		hugetlb, err := hostKB(host, "Hugetlb")
		if err != nil {
			return m, err
		}
		m.hostNotHuge = floorSub(total, hugetlb)
	}
	m.memory = memory.New(v, total, m.hostSwap)
	m.huge, err = newHuge(host, &v.Hugetlb)
	return m, err
}

// hostKB returns the value of a line of meminfo, kB.
func hostKB(host []byte, name string) (uint64, error) {
	for len(host) > 0 {
		var line []byte
		line, host = cutLine(host)
		if key, _, ok := bytes.Cut(line, []byte(":")); !ok || string(key) != name {
			continue
		}
		start, end, ok := number(line, len(name)+1)
		if !ok {
			return 0, malformed(meminfoFile, line)
		}
		n, ok := parseUint(line[start:end])
		if !ok {
			return 0, malformed(meminfoFile, line)
		}
		return n, nil
	}
	return 0, malformed(meminfoFile, []byte("no "+name))
}

// appendLine appends the host's line with the container's number in it.
func (m *meminfo) appendLine(dst, line, key []byte) ([]byte, bool) {
	start, end, ok := number(line, len(key)+1)
	old, parsed := parseUint(line[start:end])
	value, known := m.value(key, old)
	switch {
	case !known:
		return append(dst, line...), true
	case !ok || !parsed || string(line[end:]) != " kB\n" && !isCount(line, end):
		return dst, false
	}
	dst = append(dst, line[:max(min(start, end-8), len(key)+1)]...)
	dst = appendUint(dst, value, min(8, end-len(key)-1))
	return append(dst, line[end:]...), true
}

// value returns the container's number in place of the host's.
func (m *meminfo) value(key []byte, host uint64) (n uint64, known bool) {
	if n, known = m.memory.Meminfo(key, host); known {
		return n, true
	}
	if m.huge.known {
		if n, known = m.huge.value(key); known {
			return n, true
		}
	}
	if string(key) == "CommitLimit" {
		return m.memory.CommitLimit(host, m.hostSwap, m.hostNotHuge), true
	}
	return 0, false
}

// number finds the number after blanks in line[from:].
func number(line []byte, from int) (start, end int, ok bool) {
	start = from
	for start < len(line) && isBlank(line[start]) {
		start++
	}
	end = start
	for end < len(line) && isDigit(line[end]) {
		end++
	}
	return start, end, end > start
}
