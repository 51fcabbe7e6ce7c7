package daemon

import (
	"fmt"
	"slices"
	"strings"

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
	sources, err := view.Sources(b.machine.host, c, opts)
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		shown := shownIn(files, s.Needs)
		if len(shown) == 0 || file != "" && !slices.Contains(shown, file) {
			continue
		}
		list = append(list, dbusapi.Source{
			Name: s.Name, Value: s.Value, Cgroup: s.From.Cgroup(), File: s.From.File(), Shown: strings.Join(shown, " "),
		})
	}
	return list, nil
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
