package proc

import (
	"bytes"

	"linuxcontainers.org/lxcfs/fs/memory"
	"linuxcontainers.org/lxcfs/fs/view"
)

const swapsFile = "/proc/swaps"

// AppendSwaps appends /proc/swaps, proc_swaps(5): the host's header, and one
// line for all the swap that the container may use, if there is any. Size and
// Used are SwapTotal and SwapTotal-SwapFree of /proc/meminfo.
//
//	Filename				Type		Size		Used		Priority
//	/dev/nvme0n1p3                          partition	8388604		524288		-2
//	/swap.img                               file		99999996	0		-3
//
// Columns had one tab between them up to Linux 5.7; a number of eight digits is
// followed by one tab, not two (mm/swapfile.c, swap_show). Every line of the
// host is known: one with another shape is an error.
func AppendSwaps(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkText(swapsFile, host); err != nil {
		return dst, err
	}
	header, rest := cutLine(host)
	if !bytes.HasPrefix(header, []byte("Filename\t")) {
		return dst, malformed(swapsFile, header)
	}
	var hostTotal uint64
	for len(rest) > 0 {
		var line []byte
		line, rest = cutLine(rest)
		size, ok := parseSwapSize(line)
		if !ok {
			return dst, malformed(swapsFile, line)
		}
		hostTotal = ceilAdd(hostTotal, size)
	}
	dst = append(dst, header...)
	if s := memory.SwapOf(v, hostTotal); s.Total > 0 {
		dst = appendSwap(dst, s, bytes.Contains(header, []byte("Size\t\t")))
	}
	return dst, nil
}

// parseSwapSize returns the third of the five fields of a line, kB. Blanks in a
// file name are escaped, but " (deleted)" may follow it, so fields are counted
// from the end.
func parseSwapSize(line []byte) (size uint64, ok bool) {
	fields := bytes.TrimRight(line, " \t\n")
	for range 2 { // priority, used
		i := bytes.LastIndexAny(fields, " \t")
		if i < 0 {
			return 0, false
		}
		fields = bytes.TrimRight(fields[:i], " \t")
	}
	return parseUint(fields[bytes.LastIndexAny(fields, " \t")+1:])
}

func appendSwap(dst []byte, s memory.Swap, twoTabs bool) []byte {
	dst = append(dst, "none                                    virtual\t\t"...)
	for _, n := range [...]uint64{s.Total, s.Used} {
		dst = append(appendUint(dst, n, 0), '\t')
		if twoTabs && n < 10_000_000 {
			dst = append(dst, '\t')
		}
	}
	return append(dst, "0\n"...)
}
