package cgroup

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
)

// Source says where a number comes from.
type Source struct {
	// Name says which number: "memory limit".
	Name string
	// Value is the number in words, or as the interface file has it.
	Value string
	// Cgroup is the cgroup that has it, "" for none: of a limit, the nearest
	// that binds.
	Cgroup string
	// File is the interface file, absolute; "" for none.
	File string
}

// noLimit and noController are values of a Source.
const (
	noLimit      = "no limit"
	noController = "no controller"
)

// hidden is the Cgroup of a limit that v1's memory.stat tells of and that no
// readable cgroup has: an ancestor's outside of the mount, or unreadable.
const hidden = "(hidden)"

// at returns a Source with a file of a cgroup.
func (p place) at(name, value, file string) Source {
	return Source{Name: name, Value: value, Cgroup: p.path, File: p.dir + "/" + file}
}

// ancestor returns the place of a path above p, or of p itself.
func (p place) ancestor(path string) (place, bool) {
	for ok := true; ok; p, ok = p.parent() {
		if p.path == path {
			return p, true
		}
	}
	return p, false
}

// limitSource is the Source of a limit that the cgroup called from has.
func (p place) limitSource(name, file, from, value string) Source {
	if from == "" {
		return Source{Name: name, Value: noLimit}
	}
	if q, ok := p.ancestor(from); ok {
		return q.at(name, value, file)
	}
	return Source{Name: name, Value: value, Cgroup: from}
}

// sourcesWithout makes a missing controller a Source.
func sourcesWithout(name string, list []Source, err error) ([]Source, error) {
	if errors.Is(err, fs.ErrNotExist) && len(list) == 0 {
		return []Source{{Name: name, Value: noController}}, nil
	}
	return list, err
}

// MemorySources says where the numbers of [Host.ReadMemory] come from.
func (h *Host) MemorySources(m Membership) ([]Source, error) {
	list, err := h.memorySources(m)
	return sourcesWithout("memory", list, err)
}

func (h *Host) memorySources(m Membership) ([]Source, error) {
	var mem Memory
	if err := h.ReadMemory(m, &mem); err != nil {
		return nil, err
	}
	p, err := h.place(m, "memory")
	if err != nil {
		return nil, err
	}
	used, ok := p.ancestor(mem.UsageFrom)
	if !ok {
		used = p
	}
	names := memoryFiles(mem.Version)
	limit, err := h.memoryLimitSource(used, "memory limit", names.limit, mem.Limit)
	if err != nil {
		return nil, err
	}
	list := []Source{
		used.at("memory usage", decimal(mem.Usage), names.usage),
		used.at("memory statistics", "", "memory.stat"),
		limit,
	}
	if !mem.SwapAccounting {
		return append(list, Source{Name: "swap", Value: "not accounted"}), nil
	}
	swapLimit, err := h.memoryLimitSource(used, names.swapName, names.swapLimit, min(mem.SwapLimit, mem.MemswLimit))
	if err != nil {
		return nil, err
	}
	return append(list, used.at("swap usage", decimal(mem.SwapUsage), names.swapUsage), swapLimit), nil
}

// memoryLimitSource is the Source of a limit: the smallest in the file of p's
// cgroup and its ancestors, but on v1 what was told of.
func (h *Host) memoryLimitSource(p place, name, file string, told uint64) (Source, error) {
	buf := h.buffer()
	defer h.release(buf)
	parse := parseMax
	if p.hierarchy.Version == 1 {
		parse = parseLimitV1
	}
	least, from, err := h.limit(buf, p, file, parse)
	switch {
	case p.hierarchy.Version == 2 || least == told:
	case told == Max: // ancestors that do not bind: before Linux 5.11, memory.use_hierarchy 0
		from = ""
	default:
		least, from = told, hidden
	}
	return p.limitSource(name, file, from, decimal(least)), err
}

// memoryNames are the interface files of a version.
type memoryNames struct{ usage, limit, swapUsage, swapLimit, swapName string }

func memoryFiles(version int) memoryNames {
	if version == 1 {
		return memoryNames{"memory.usage_in_bytes", "memory.limit_in_bytes", "memory.memsw.usage_in_bytes", "memory.memsw.limit_in_bytes", "limit of memory and swap"}
	}
	return memoryNames{"memory.current", "memory.max", "memory.swap.current", "memory.swap.max", "swap limit"}
}

func decimal(v uint64) string { return strconv.FormatUint(v, 10) }

// CPUSources says where the numbers of [Host.ReadCPUSet] and
// [Host.ReadCPUQuota] come from.
func (h *Host) CPUSources(m Membership) ([]Source, error) {
	set, err := h.cpusetSource(m)
	sets, err := sourcesWithout("CPU set", set, err)
	if err != nil {
		return nil, err
	}
	quota, err := h.quotaSource(m)
	quotas, err := sourcesWithout("CPU quota", quota, err)
	return append(sets, quotas...), err
}

func (h *Host) cpusetSource(m Membership) ([]Source, error) {
	set, err := h.ReadCPUSet(m)
	if err != nil {
		return nil, err
	}
	p, err := h.place(m, "cpuset")
	if err != nil {
		return nil, err
	}
	files := cpuFiles()
	file := files.v2
	if p.hierarchy.Version == 1 {
		file = files.v1
	}
	buf := h.buffer()
	defer h.release(buf)
	for q, level, ok := p, 1, true; ok; level++ {
		if s, err := h.readEffective(buf, q, files); err == nil && !s.Empty() {
			return []Source{q.at("CPU set", set.String(), file)}, nil
		}
		q, ok = q.above(level)
	}
	return []Source{{Name: "CPU set", Value: set.String()}}, nil
}

func (h *Host) quotaSource(m Membership) ([]Source, error) {
	quota, err := h.ReadCPUQuota(m)
	if err != nil {
		return nil, err
	}
	p, err := h.place(m, "cpu")
	if err != nil {
		return nil, err
	}
	file := "cpu.max"
	if p.hierarchy.Version == 1 {
		file = "cpu.cfs_quota_us"
	}
	value := decimal(quota.QuotaUsec) + " of " + decimal(quota.PeriodUsec) + " us"
	return []Source{p.limitSource("CPU quota", file, quota.From, value)}, nil
}

// UsageSources says where CPU time, I/O and processes are counted.
func (h *Host) UsageSources(m Membership) ([]Source, error) {
	var list []Source
	for _, u := range []struct{ name, controller, v1, v2 string }{
		{"CPU time", "cpuacct", "cpuacct.usage_all", "cpu.stat"},
		{"I/O", "io", "blkio.throttle.io_service_bytes_recursive", "io.stat"},
	} {
		p, err := h.place(m, u.controller)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			list = append(list, Source{Name: u.name, Value: noController})
		case err != nil:
			return nil, err
		case p.hierarchy.Version == 1:
			list = append(list, p.at(u.name, "", u.v1))
		default:
			list = append(list, p.at(u.name, "", u.v2))
		}
	}
	hi, path := h.Identity(m)
	if hi == nil {
		return list, nil
	}
	dir, err := hi.Dir(path)
	if err != nil {
		return nil, err
	}
	return append(list, Source{Name: "processes", Value: "with all below", Cgroup: path, File: strings.TrimSuffix(dir, "/") + "/cgroup.procs"}), nil
}

// DeviceSources says where the rules of [Host.ReadDevicePolicy] come from.
func (h *Host) DeviceSources(m Membership) ([]Source, error) {
	const name = "device policy"
	policy, err := h.ReadDevicePolicy(m)
	if err != nil {
		return sourcesWithout(name, nil, err)
	}
	if p, err := h.place(m, "devices"); err == nil && p.hierarchy.Version == 1 {
		return []Source{p.at(name, "", "devices.list")}, nil
	}
	_, path := h.Identity(m)
	u := UnitOf(path)
	if files := h.unitFiles(u.Name); u.User == "" && len(files) > 0 {
		if policy.Own {
			return []Source{{Name: name, Cgroup: u.Path, File: files[0]}}, nil
		}
		return []Source{{Name: name, Value: "not known, within that of the unit", Cgroup: u.Path, File: files[0]}}, nil
	}
	return []Source{{Name: name, Value: "not known"}}, nil
}

// PressureSource says where the content of [Host.ReadPressure] comes from; the
// host's is shown where it is not the container's.
func (h *Host) PressureSource(m Membership, resource string) (Source, error) {
	name := resource + " pressure"
	p, err := h.place(m, "")
	if err == nil {
		_, err = h.FS.Stat(p.dir + "/" + pressureFile(resource))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && p.root():
		return Source{Name: name, Value: "the host's"}, nil
	case err != nil:
		return Source{}, err
	}
	return p.at(name, "", pressureFile(resource)), nil
}
