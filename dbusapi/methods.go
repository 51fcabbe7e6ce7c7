package dbusapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

// methods are all methods there are. The XML declares them.
func methods() map[string]func(*call) ([]any, error) {
	return map[string]func(*call) ([]any, error){
		introspectable + ".Introspect":                (*call).introspect,
		propertiesInterface + ".Get":                  (*call).get,
		propertiesInterface + ".GetAll":               (*call).getAll,
		propertiesInterface + ".Set":                  (*call).set,
		objectManagerInterface + ".GetManagedObjects": (*call).getManagedObjects,
		ManagerInterface + ".Reload":                  (*call).reload,
		ManagerInterface + ".Reexecute":               (*call).reexecute,
		ManagerInterface + ".SetVirtualization":       (*call).setVirtualization,
		ManagerInterface + ".DumpState":               (*call).dumpState,
		ManagerInterface + ".CheckFiles":              (*call).checkFiles,
		ManagerInterface + ".ListConnections":         (*call).listConnections,
		ManagerInterface + ".ListContainers":          (*call).listContainers,
		ManagerInterface + ".GetContainerByPID":       (*call).getContainerByPID,
		ManagerInterface + ".Show":                    (*call).show,
		ManagerInterface + ".Explain":                 (*call).explain,
		ContainerInterface + ".Show":                  (*call).showContainer,
	}
}

func (c *call) introspect() ([]any, error) {
	var children []string
	switch c.node.path {
	case ManagerPath:
		children = []string{"connection", "container"}
	case dbus.ObjectPath(connectionDir):
		children = names(connectionPaths(c.manager.Connections()))
	case dbus.ObjectPath(containerDir):
		known, err := c.containers()
		if err != nil {
			return nil, err
		}
		children = names(containerPaths(known))
	default:
		if c.node.kind == nodeDirectory {
			children = below(c.node.path)
		}
	}
	return []any{introspection(c.node.interfaces, children)}, nil
}

// names returns the last elements of paths.
func names(paths []dbus.ObjectPath) []string {
	var all []string
	for _, p := range paths {
		all = append(all, string(p[strings.LastIndexByte(string(p), '/')+1:]))
	}
	return all
}

// below returns what is directly below a directory above our objects.
func below(dir dbus.ObjectPath) []string {
	var children []string
	for _, leaf := range []dbus.ObjectPath{ManagerPath, LogControlPath} {
		rest, ok := strings.CutPrefix(string(leaf), strings.TrimSuffix(string(dir), "/")+"/")
		child, _, _ := strings.Cut(rest, "/")
		if ok && !slices.Contains(children, child) {
			children = append(children, child)
		}
	}
	return children
}

func (c *call) reload() ([]any, error) { return nil, c.manager.Reload() }

func (c *call) reexecute() ([]any, error) { return nil, c.manager.Reexecute() }

func (c *call) setVirtualization() ([]any, error) {
	return nil, c.manager.Virtualize(c.args[0].(bool))
}

// dumpState returns everything as JSON, for a report of a bug.
func (c *call) dumpState() ([]any, error) {
	type known struct {
		Container
		Usage
		Error string `json:"error,omitempty"`
	}
	state := struct {
		Status      Status         `json:"status"`
		Connections []Connection   `json:"connections"`
		Containers  []known        `json:"containers"`
		Stored      map[string]int `json:"stored"`
	}{c.manager.Status(), c.manager.Connections(), []known{}, c.manager.Stored()}
	for _, k := range c.manager.Containers() {
		usage, err := c.manager.Usage(k.ID)
		one := known{Container: k, Usage: usage}
		if err != nil {
			one.Error = err.Error()
		}
		state.Containers = append(state.Containers, one)
	}
	text, err := json.MarshalIndent(Encoded(state), "", "  ")
	return []any{string(text)}, err
}

// faultEntry is one of CheckFiles.
type faultEntry struct {
	Connection, File string
	BlockSize        uint32
	Reason           string
}

func (c *call) checkFiles() ([]any, error) {
	check, err := c.manager.CheckFiles()
	faults := []faultEntry{}
	for _, f := range check.Faults {
		faults = append(faults, faultEntry(f))
	}
	return []any{check.Files, faults}, err
}

// connectionEntry is one of ListConnections.
type connectionEntry struct {
	ID, Mountpoint string
	Path           dbus.ObjectPath
}

func (c *call) listConnections() ([]any, error) {
	list := []connectionEntry{}
	for _, k := range c.manager.Connections() {
		list = append(list, connectionEntry{k.ID, k.Mountpoint, ConnectionPath(k.ID)})
	}
	return []any{list}, nil
}

// containerEntry is one of ListContainers.
type containerEntry struct {
	Name, Runtime, Kind string
	InitPID             uint32
	Cgroup              string
	Path                dbus.ObjectPath
}

func (c *call) listContainers() ([]any, error) {
	known, err := c.containers()
	list := []containerEntry{}
	for _, k := range known {
		list = append(list, containerEntry{k.Name, k.Runtime, k.Kind, k.InitPID, k.Cgroup, ContainerPath(k.ID)})
	}
	return []any{list}, err
}

func (c *call) getContainerByPID() ([]any, error) {
	pid := c.args[0].(uint32)
	if err := c.mayKnow(pid); err != nil {
		return nil, err
	}
	k, err := c.manager.ContainerOf(pid)
	if err != nil {
		return nil, err
	}
	return []any{ContainerPath(k.ID)}, nil
}

func (c *call) show() ([]any, error) {
	pid, file, connection := c.args[0].(uint32), c.args[1].(string), c.args[2].(string)
	if err := c.mayKnow(pid); err != nil {
		return nil, err
	}
	return c.content(file, func() ([]byte, error) { return c.manager.Show(pid, file, connection) })
}

func (c *call) showContainer() ([]any, error) {
	k, err := c.container()
	if err != nil {
		return nil, err
	}
	file, connection := c.args[0].(string), c.args[1].(string)
	return c.content(file, func() ([]byte, error) { return c.manager.ShowContainer(k.ID, file, connection) })
}

// content returns a served file's content to a caller who may read the file.
func (c *call) content(file string, show func() ([]byte, error)) ([]any, error) {
	served := func(f FileStats) bool {
		return f.Path == file || strings.HasSuffix(f.Path, "/") && strings.HasPrefix(file, f.Path) // a tree's
	}
	if !slices.ContainsFunc(c.manager.Status().Files, served) {
		return nil, fmt.Errorf("%w: %s is not served", ErrNoSuchFile, file)
	}
	if err := c.mayRead(file); err != nil {
		return nil, err
	}
	content, err := show()
	if content == nil {
		content = []byte{}
	}
	return []any{content}, err
}

// sourceEntry is one of Explain's.
type sourceEntry struct{ Name, Value, Cgroup, File, Shown string }

func (c *call) explain() ([]any, error) {
	pid := c.args[0].(uint32)
	if err := c.mayKnow(pid); err != nil {
		return nil, err
	}
	e, err := c.manager.Explain(pid, c.args[1].(string), c.args[2].(string))
	if err != nil {
		return nil, err
	}
	path := dbus.ObjectPath("/")
	if e.Container != nil {
		path = ContainerPath(e.Container.ID)
	}
	sources := []sourceEntry{}
	for _, s := range e.Sources {
		sources = append(sources, sourceEntry(s))
	}
	return []any{e.Reason, e.Detail, path, sources}, nil
}
