package proc

import (
	"bytes"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

const cpuinfoFile = "/proc/cpuinfo"

// AppendCpuinfo appends /proc/cpuinfo, proc_cpuinfo(5), without the CPUs that
// the container does not see. CPUs keep the host's numbers, and every line its
// text.
//
// x86, arm64, riscv, loongarch and ppc64 write a block for each CPU, up to and
// with an empty line. Text before the first block (loongarch's "system type")
// and after an empty line that no block follows (ppc64's "timebase", arm's
// "Hardware") belongs to the machine:
//
//	processor	: 0
//	BogoMIPS	: 50.00
//
// s390 writes a summary, then a block for each CPU that begins with an empty
// line (arch/s390/kernel/processor.c; since Linux 4.10, before: a summary only):
//
//	vendor_id       : IBM/S390
//	# processors    : 2
//	processor 0: version = 00,  identification = 0A2F07,  machine = 8561
//
//	cpu number      : 0
//
// Of the summary, "# processors" is the number of CPUs seen. A line that
// names a CPU and has no number is an error; so is a file whose CPUs are all
// hidden. A file that names none passes through.
//
// The text is what a 64-bit caller sees. A caller's bitness changes it on arm64
// alone, and there only for one with the personality PER_LINUX32 (setarch(8)),
// whose Features are those of AArch32: to tell would take the right to ptrace
// every caller (/proc/PID/personality), which the daemon has not.
func AppendCpuinfo(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(cpuinfoFile, host); err != nil {
		return dst, err
	}
	out := dst
	var hidden bool // the block we are in
	var named, seen int
	for rest := host; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		kind, cpu, ok := parseCPUName(line)
		if !ok {
			return dst, malformed(cpuinfoFile, line)
		}
		visible := cpu <= cgroup.MaxCPUs && v.CPUs.Has(int(cpu))
		switch kind {
		case cpuBlock:
			hidden = !visible
			named++
			if visible {
				seen++
			}
		case cpuLine:
			if !visible {
				continue
			}
		case cpuCount:
			out = appendCPUCount(out, line, v.CPUs.Count())
			continue
		}
		if !hidden {
			out = append(out, line...)
		}
		if len(line) == 1 {
			hidden = false
		}
	}
	if named > 0 && seen == 0 {
		return dst, malformed(cpuinfoFile, []byte("no CPU of the container"))
	}
	if endsInBlank(out[len(dst):]) && !endsInBlank(host) {
		out = out[:len(out)-1] // of s390: it led to a hidden block
	}
	return out, nil
}

// cpuKind says what a line of cpuinfo is to the container's view.
type cpuKind uint8

const (
	cpuOther cpuKind = iota
	cpuBlock         // the first line of a CPU's block
	cpuLine          // a line about one CPU, outside its block
	cpuCount         // the number of CPUs
)

// parseCPUName tells what a line is, and the CPU that it is about; ok is false
// when that should be a number and is not.
func parseCPUName(line []byte) (kind cpuKind, cpu uint64, ok bool) {
	key, value, found := bytes.Cut(line, []byte(":"))
	if !found {
		return cpuOther, 0, true
	}
	key = bytes.TrimRight(key, " \t")
	switch string(key) {
	case "processor", "cpu number":
		field, _ := cutField(value)
		cpu, ok = parseUint(field)
		return cpuBlock, cpu, ok
	case "# processors":
		field, _ := cutField(value)
		_, ok = parseUint(field)
		return cpuCount, 0, ok
	}
	if number, isLine := bytes.CutPrefix(key, []byte("processor ")); isLine {
		cpu, ok = parseUint(number)
		return cpuLine, cpu, ok
	}
	return cpuOther, 0, true
}

func appendCPUCount(dst, line []byte, count int) []byte {
	start, end, _ := number(line, bytes.IndexByte(line, ':')+1)
	dst = appendUint(append(dst, line[:start]...), uint64(count), 0)
	return append(dst, line[end:]...)
}

func endsInBlank(text []byte) bool { return bytes.HasSuffix(text, []byte("\n\n")) }
