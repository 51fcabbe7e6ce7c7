package proc

import (
	"bytes"

	"linuxcontainers.org/lxcfs/fs/view"
)

// slabinfoHeader is what the kernel writes before the first cache
// (mm/slab_common.c, print_slabinfo_header).
const slabinfoHeader = "slabinfo - version: 2.1\n" +
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>" +
	" : tunables <limit> <batchcount> <sharedfactor>" +
	" : slabdata <active_slabs> <num_slabs> <sharedavail>\n"

// AppendSlabinfo appends /proc/slabinfo, slabinfo(5), with no cache: only the
// header. The host's file has mode 0400 and is not for containers, and since
// Linux 5.9 caches are shared by all cgroups. An empty host, as one that may not
// be read, gives the header of version 2.1.
//
//	slabinfo - version: 2.1
//	# name            <active_objs> <num_objs> <objsize> ...
//	dentry            231483 232218    192   21    1 : tunables    0    0    0 : slabdata  11058  11058      0
func AppendSlabinfo(dst, host []byte, _ *view.View) ([]byte, error) {
	if err := checkText("/proc/slabinfo", host); err != nil {
		return dst, err
	}
	first, rest := cutLine(host)
	second, _ := cutLine(rest)
	switch {
	case len(host) == 0:
		return append(dst, slabinfoHeader...), nil
	case !bytes.HasPrefix(first, []byte("slabinfo - version:")):
		return dst, malformed("/proc/slabinfo", first)
	case !bytes.HasPrefix(second, []byte("# name")):
		return dst, malformed("/proc/slabinfo", second)
	}
	return append(append(dst, first...), second...), nil
}
