package daemon

import (
	"fmt"
	"slices"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/dbusapi"
	"linuxcontainers.org/lxcfs/fs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// Explain says how a process was resolved and where its numbers come from.
func (b *onBus) Explain(pid uint32, file, id string) (e dbusapi.Explanation, err error) {
	d, err := b.resolve(pid)
	if err != nil {
		return e, err
	}
	e.Reason, e.Detail = string(d.Reason), d.Detail
	err = b.use(id, func(c *connection) error {
		files := c.renderer.Files()
		if file != "" && !slices.ContainsFunc(files, func(f *fs.File) bool { return f.Path == file }) {
			return fmt.Errorf("%w: %s is not served", dbusapi.ErrNoSuchFile, file)
		}
		if d.Container == nil {
			return nil
		}
		k := containerOf(d.Container)
		e.Container = &k
		e.Sources, err = b.sources(d.Container, c.renderer.Options(), files, file)
		return err
	})
	return e, err
}

// sources lists where the numbers of the files come from, or those of one file.
func (b *onBus) sources(c *container.Container, opts view.Options, files []*fs.File, file string) ([]dbusapi.Source, error) {
	var list []dbusapi.Source
	for _, part := range sourceParts(opts) {
		sources, err := part.read(b.machine.host, c)
		if err != nil {
			return nil, gone(c, err)
		}
		for _, s := range sources {
			shown := shownIn(files, needs(part.needs, s.Name))
			if len(shown) == 0 || file != "" && !slices.Contains(shown, file) {
				continue
			}
			list = append(list, dbusapi.Source{Name: s.Name, Value: s.Value, Cgroup: s.Cgroup, File: s.File, Shown: strings.Join(shown, " ")})
		}
	}
	return list, nil
}

// source is one part.
type source struct {
	needs view.Needs
	read  sourceReader
}

type sourceReader func(*cgroup.Host, *container.Container) ([]cgroup.Source, error)

// sourceParts are the parts of a View and who knows where they come from.
func sourceParts(opts view.Options) []source {
	const cpus = view.NeedCPUs | view.NeedCPUTime | view.NeedUptime
	member := func(read func(*cgroup.Host, cgroup.Membership) ([]cgroup.Source, error)) sourceReader {
		return func(h *cgroup.Host, c *container.Container) ([]cgroup.Source, error) { return read(h, c.Membership) }
	}
	pressure := func(resource string) sourceReader {
		return func(h *cgroup.Host, c *container.Container) ([]cgroup.Source, error) {
			s, err := h.PressureSource(c.Membership, resource)
			return []cgroup.Source{s}, err
		}
	}
	return []source{
		{view.NeedMemory, member((*cgroup.Host).MemorySources)},
		{cpus, func(_ *cgroup.Host, c *container.Container) ([]cgroup.Source, error) {
			return []cgroup.Source{countedBy(opts, c.Kind)}, nil
		}},
		{cpus, member((*cgroup.Host).CPUSources)},
		{0, member((*cgroup.Host).UsageSources)},
		{view.NeedDisks, member((*cgroup.Host).DeviceSources)},
		{view.NeedCPUPressure, pressure("cpu")},
		{view.NeedIOPressure, pressure("io")},
		{view.NeedIRQPressure, pressure("irq")},
		{view.NeedMemoryPressure, pressure("memory")},
	}
}

// countedBy says by what CPUs are counted, and why.
func countedBy(opts view.Options, kind container.Kind) cgroup.Source {
	by, why := "set", "option cpu"
	if opts.ByQuota(kind) {
		by = "set and quota"
	}
	if opts.CPU == view.Auto {
		why = "kind " + kind.String()
	}
	return cgroup.Source{Name: "CPUs counted by", Value: by + " (" + why + ")"}
}

// needs says which part of a View a source is of; UsageSources brings several.
func needs(of view.Needs, name string) view.Needs {
	switch {
	case of != 0:
		return of
	case name == "CPU time":
		return view.NeedCPUTime | view.NeedUptime
	case name == "I/O":
		return view.NeedIO
	}
	return view.NeedLoad | view.NeedTasks
}

// shownIn lists the files that are made from a part.
func shownIn(files []*fs.File, needs view.Needs) []string {
	var shown []string
	for _, f := range files {
		if f.Needs&needs != 0 {
			shown = append(shown, f.Path)
		}
	}
	return shown
}
