package cgroup

import "strconv"

// ReadHugetlb returns how much memory m's cgroup and all below it have in huge
// pages of a size ("2MB", "1GB": include/linux/hugetlb_cgroup.h), bytes, and the
// smallest limit of the cgroup and its ancestors. The error is fs.ErrNotExist
// where no hugetlb controller counts for m.
func (h *Host) ReadHugetlb(m Membership, size string) (usage uint64, limit Limit, err error) {
	p, err := h.place(m, "hugetlb")
	if err != nil {
		return 0, Limit{Value: Max}, err
	}
	if p.hierarchy.Version == 1 {
		return h.counted(p, "hugetlb."+size+".usage_in_bytes", "hugetlb."+size+".limit_in_bytes", parseLimitV1)
	}
	return h.counted(p, "hugetlb."+size+".current", "hugetlb."+size+".max", parseMax)
}

// HugePageName returns the name of a size of huge pages, bytes, as in
// hugetlb.2MB.max (mem_fmt of mm/hugetlb_cgroup.c).
func HugePageName(size uint64) string {
	switch {
	case size >= 1<<30:
		return strconv.FormatUint(size>>30, 10) + "GB"
	case size >= 1<<20:
		return strconv.FormatUint(size>>20, 10) + "MB"
	}
	return strconv.FormatUint(size>>10, 10) + "KB"
}
