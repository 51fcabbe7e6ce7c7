package view

import (
	"errors"
	"io/fs"
	"strconv"
	"syscall"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
)

// Source says where a number comes from.
type Source struct {
	// Needs are the parts of a View that have the number.
	Needs Needs
	// Name says which number: "memory limit".
	Name string
	// Value is the number in words, or as the interface file has it.
	Value string
	// From is the interface file; of a limit, that of the nearest cgroup that
	// binds.
	From cgroup.Origin
}

// What a Source has for a Value where there is no number.
const (
	noLimit      = "no limit"
	noController = "no controller"
)

// sourcesOf collects the Sources of a container.
type sourcesOf struct {
	host      *cgroup.Host
	container *container.Container
	options   Options
	needs     Needs
	list      []Source
}

// sourceParts are the ways to find Sources, in the order in which they are listed;
// name is said to have no controller where the error is fs.ErrNotExist.
var sourceParts = [...]struct {
	needs Needs
	name  string
	find  func(s *sourcesOf, name string) error
}{
	{NeedMemory, "memory", (*sourcesOf).memory},
	{NeedCPUs | NeedCPUTime | NeedUptime, "CPUs counted by", (*sourcesOf).countedBy},
	{NeedCPUs | NeedCPUTime | NeedUptime, "CPU set", (*sourcesOf).cpuSet},
	{NeedCPUs | NeedCPUTime | NeedUptime, "CPU quota", (*sourcesOf).cpuQuota},
	{NeedCPUTime | NeedUptime, "CPU time", (*sourcesOf).cpuTime},
	{NeedIO, "I/O", (*sourcesOf).io},
	{NeedLoad | NeedTasks, "processes", (*sourcesOf).processes},
	{NeedDisks, "device policy", (*sourcesOf).devices},
	{NeedCPUPressure, "cpu pressure", pressureSource("cpu")},
	{NeedIOPressure, "io pressure", pressureSource("io")},
	{NeedIRQPressure, "irq pressure", pressureSource("irq")},
	{NeedMemoryPressure, "memory pressure", pressureSource("memory")},
}

// Sources reads a container's numbers, as a [Gatherer] does, and says where each
// comes from.
func Sources(host *cgroup.Host, c *container.Container, opts Options) ([]Source, error) {
	s := sourcesOf{host: host, container: c, options: opts}
	for _, part := range sourceParts {
		s.needs = part.needs
		before := len(s.list)
		err := part.find(&s, part.name)
		if errors.Is(err, fs.ErrNotExist) {
			s.list = s.list[:before]
			err = s.add(part.name, noController, cgroup.Origin{}, nil)
		}
		if err != nil {
			return nil, err
		}
	}
	return s.list, nil
}

// add adds a Source unless there is an error, which it returns.
func (s *sourcesOf) add(name, value string, from cgroup.Origin, err error) error {
	if err == nil {
		s.list = append(s.list, Source{s.needs, name, value, from})
	}
	return err
}

// addLimit adds a limit to memory.
func (s *sourcesOf) addLimit(name string, l cgroup.Limit) error {
	value := noLimit
	if l.Value != cgroup.Max {
		value = decimal(l.Value)
	}
	from, err := l.From(s.host)
	return s.add(name, value, from, err)
}

func (s *sourcesOf) memory(string) error {
	var m cgroup.Memory
	err := s.host.ReadMemory(s.container.Membership, &m)
	err = s.add("memory usage", decimal(m.Usage), m.From, err)
	err = s.add("memory statistics", "", m.StatFrom(), err)
	if err == nil {
		err = s.addLimit("memory limit", m.Limit)
	}
	if !m.SwapAccounting {
		return s.add("swap", "not accounted", cgroup.Origin{}, err)
	}
	err = s.add("swap usage", decimal(m.SwapUsage), m.SwapFrom(), err)
	switch {
	case err != nil:
		return err
	case m.Version == 1:
		return s.addLimit("limit of memory and swap", m.MemswLimit)
	}
	return s.addLimit("swap limit", m.SwapLimit)
}

// countedBy says by what CPUs are counted, and why.
func (s *sourcesOf) countedBy(name string) error {
	by, why := "set", "option cpu"
	if s.options.ByQuota(s.container.Kind) {
		by = "set and quota"
	}
	if s.options.CPU == Auto {
		why = "kind " + s.container.Kind.String()
	}
	return s.add(name, by+" ("+why+")", cgroup.Origin{}, nil)
}

func (s *sourcesOf) cpuSet(name string) error {
	set, from, err := s.host.ReadCPUSet(s.container.Membership)
	return s.add(name, set.String(), from, err)
}

func (s *sourcesOf) cpuQuota(name string) error {
	q, err := s.host.ReadCPUQuota(s.container.Membership)
	value := noLimit
	if q.QuotaUsec != cgroup.Max {
		value = decimal(q.QuotaUsec) + " of " + decimal(q.PeriodUsec) + " us"
	}
	return s.add(name, value, q.From, err)
}

func (s *sourcesOf) cpuTime(name string) error {
	var usage cgroup.CPUUsage
	err := s.host.ReadCPUUsage(s.container.Membership, &usage)
	return s.add(name, "", usage.From, err)
}

func (s *sourcesOf) io(name string) error {
	_, from, err := s.host.ReadIO(s.container.Membership, nil)
	return s.add(name, "", from, err)
}

func (s *sourcesOf) processes(name string) error {
	from, err := s.host.ProcsFrom(s.container.Membership)
	return s.add(name, "with all below", from, err)
}

func (s *sourcesOf) devices(name string) error {
	policy, err := s.host.ReadDevicePolicy(s.container.Membership)
	value := ""
	switch {
	case policy.From == cgroup.Origin{}:
		value = "not known"
	case !policy.Own:
		value = "not known, within that of the unit"
	}
	return s.add(name, value, policy.From, err)
}

// pressureSource is of a pressure file; the host's is shown where the container
// has none.
func pressureSource(resource string) func(*sourcesOf, string) error {
	return func(s *sourcesOf, name string) error {
		_, from, err := s.host.ReadPressure(nil, s.container.Membership, resource)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EOPNOTSUPP) {
			return s.add(name, "the host's", cgroup.Origin{}, nil)
		}
		return s.add(name, "", from, err)
	}
}

func decimal(v uint64) string { return strconv.FormatUint(v, 10) }
