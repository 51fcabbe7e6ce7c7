package dbusapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// Errors of a [Client], besides those of a [Manager].
var (
	// ErrNotRunning: nobody owns the bus name, and nobody could be started.
	ErrNotRunning = errors.New("lxcfs is not on the message bus")
	// ErrDenied: not root, and polkit did not agree.
	ErrDenied = errors.New("not allowed")
)

// Client asks a daemon over the bus, and starts none. One goroutine uses it at
// a time.
type Client struct {
	conn    *dbus.Conn
	manager dbus.BusObject
}

// Connect connects to the bus at an address, "" for the system bus. The daemon
// need not be there yet. The error is [ErrNoBus].
func Connect(ctx context.Context, address string) (*Client, error) {
	if address == "" {
		address = SystemBusAddress()
	}
	conn, err := dial(ctx, address, maxReply, dbus.WithOutgoingInterceptor(allowInteraction))
	if err != nil {
		return nil, err
	}
	return &Client{conn: conn, manager: conn.Object(BusName, ManagerPath)}, nil
}

// allowInteraction says on each call to the daemon that somebody may be asked
// for a password; the flag of a call does not get through godbus.
func allowInteraction(msg *dbus.Message) {
	if to, _ := msg.Headers[dbus.FieldDestination].Value().(string); msg.Type == dbus.TypeMethodCall && to == BusName {
		msg.Flags |= dbus.FlagAllowInteractiveAuthorization
	}
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// call calls a method of the manager and stores what it returns.
func (c *Client) call(ctx context.Context, method string, args, results []any) error {
	return asClientError(c.manager.CallWithContext(ctx, ManagerInterface+"."+method, dbus.FlagNoAutoStart, args...).Store(results...))
}

// asClientError maps names of errors back to the sentinels.
func asClientError(err error) error {
	var named dbus.Error
	if !errors.As(err, &named) {
		return err
	}
	for sentinel, name := range errorNames() {
		if named.Name == name {
			return &clientError{sentinel, named.Error()}
		}
	}
	switch name := named.Name; {
	case name == errorServiceUnknown, name == errorNameHasNoOwner, strings.HasPrefix(name, errorSpawn), strings.HasPrefix(name, errorSystemdUnit):
		return &clientError{ErrNotRunning, ErrNotRunning.Error() + ": " + named.Error()}
	case name == errorAccessDenied, name == errorInteractive:
		return &clientError{ErrDenied, ErrDenied.Error() + ": " + named.Error()}
	case name == errorUnknownObject:
		return &clientError{ErrNoSuchContainer, named.Error()}
	}
	return err
}

// clientError is a sentinel in the words of the daemon, or of the bus.
type clientError struct {
	sentinel error
	text     string
}

// Error returns the words.
func (e *clientError) Error() string { return e.text }

// Unwrap returns the sentinel.
func (e *clientError) Unwrap() error { return e.sentinel }

// getAll returns all properties of an object's interface.
func (c *Client) getAll(ctx context.Context, path dbus.ObjectPath, iface string) (received, error) {
	var all received
	err := c.conn.Object(BusName, path).CallWithContext(ctx, propertiesInterface+".GetAll", dbus.FlagNoAutoStart, iface).Store(&all)
	return all, asClientError(err)
}

// Status returns the daemon's properties.
func (c *Client) Status(ctx context.Context) (st Status, err error) {
	all, err := c.getAll(ctx, ManagerPath, ManagerInterface)
	if err != nil {
		return st, err
	}
	var latency []latencyClass
	var perFile map[string]map[string]uint64
	err = errors.Join(all.into(&st), all.take("Latency", &latency), all.take("Files", &perFile))
	for path, v := range perFile {
		st.Files = append(st.Files, fileStats(path, v))
	}
	slices.SortFunc(st.Files, func(a, b FileStats) int { return strings.Compare(a.Path, b.Path) })
	st.Latency, st.LatencyBounds = split(latency)
	return st, err
}

// split separates the classes of the property Latency.
func split(latency []latencyClass) (counts, bounds []uint64) {
	for _, l := range latency {
		counts = append(counts, l.Count)
		if l.Bound != NoLimit {
			bounds = append(bounds, l.Bound)
		}
	}
	return counts, bounds
}

// objects returns all connections and containers.
func (c *Client) objects(ctx context.Context) (map[dbus.ObjectPath]map[string]map[string]dbus.Variant, error) {
	var all map[dbus.ObjectPath]map[string]map[string]dbus.Variant
	err := c.manager.CallWithContext(ctx, objectManagerInterface+".GetManagedObjects", dbus.FlagNoAutoStart).Store(&all)
	return all, asClientError(err)
}

// Connections returns the connections by their ids.
func (c *Client) Connections(ctx context.Context) ([]Connection, error) {
	objects, err := c.objects(ctx)
	if err != nil {
		return nil, err
	}
	list := []Connection{}
	for _, interfaces := range objects {
		if v, ok := interfaces[ConnectionInterface]; ok {
			var k Connection
			if err := received(v).into(&k); err != nil {
				return nil, err
			}
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b Connection) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

// ContainerUsage is a container and its numbers.
type ContainerUsage struct {
	Container
	Usage
}

// Containers returns the containers and their numbers, by their names.
func (c *Client) Containers(ctx context.Context) ([]ContainerUsage, error) {
	objects, err := c.objects(ctx)
	if err != nil {
		return nil, err
	}
	list := []ContainerUsage{}
	for path, interfaces := range objects {
		if v, ok := interfaces[ContainerInterface]; ok {
			k, err := received(v).container(path)
			if err != nil {
				return nil, err
			}
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b ContainerUsage) int {
		if n := strings.Compare(a.Name, b.Name); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list, nil
}

// CountContainers counts the containers that have read a file.
func (c *Client) CountContainers(ctx context.Context) (int, error) {
	count := 0
	byRuntime, err := c.CountByRuntime(ctx)
	for _, n := range byRuntime {
		count += n
	}
	return count, err
}

// CountByRuntime is CountContainers for each runtime.
func (c *Client) CountByRuntime(ctx context.Context) (map[string]int, error) {
	var list []containerEntry
	err := c.call(ctx, "ListContainers", nil, []any{&list})
	count := make(map[string]int)
	for _, k := range list {
		count[k.Runtime]++
	}
	return count, err
}

// container returns one container by its object.
func (c *Client) container(ctx context.Context, path dbus.ObjectPath) (ContainerUsage, error) {
	all, err := c.getAll(ctx, path, ContainerInterface)
	if err != nil {
		return ContainerUsage{}, err
	}
	return all.container(path)
}

// container makes a container of the properties of an object.
func (r received) container(path dbus.ObjectPath) (k ContainerUsage, err error) {
	k.ID = names([]dbus.ObjectPath{path})[0]
	return k, r.into(&k)
}

// ContainerByPID returns the container of a process.
func (c *Client) ContainerByPID(ctx context.Context, pid uint32) (ContainerUsage, error) {
	var path dbus.ObjectPath
	if err := c.call(ctx, "GetContainerByPID", []any{pid}, []any{&path}); err != nil {
		return ContainerUsage{}, err
	}
	return c.container(ctx, path)
}

// Show returns what a process reads in a file, as "/proc/meminfo".
func (c *Client) Show(ctx context.Context, pid uint32, file, connection string) ([]byte, error) {
	var content []byte
	err := c.call(ctx, "Show", []any{pid, file, connection}, []any{&content})
	return content, err
}

// ShowContainer is Show for a container, by the id that Containers gives.
func (c *Client) ShowContainer(ctx context.Context, id, file, connection string) ([]byte, error) {
	var content []byte
	err := c.conn.Object(BusName, dbus.ObjectPath(containerDir+"/"+id)).CallWithContext(ctx,
		ContainerInterface+".Show", dbus.FlagNoAutoStart, file, connection).Store(&content)
	return content, asClientError(err)
}

// Explain says why.
func (c *Client) Explain(ctx context.Context, pid uint32, file, connection string) (Explanation, error) {
	var e Explanation
	var path dbus.ObjectPath
	var sources []sourceEntry
	err := c.call(ctx, "Explain", []any{pid, file, connection}, []any{&e.Reason, &e.Detail, &path, &sources})
	if err != nil {
		return e, err
	}
	for _, s := range sources {
		e.Sources = append(e.Sources, Source(s))
	}
	if path == "/" {
		return e, nil
	}
	k, err := c.container(ctx, path)
	if err != nil {
		return e, fmt.Errorf("container of process %d: %w", pid, err)
	}
	e.Container = &k.Container
	return e, nil
}

// Reload makes the daemon read its configuration.
func (c *Client) Reload(ctx context.Context) error {
	return c.call(ctx, "Reload", nil, nil)
}

// SetVirtualization switches the containers' own numbers on or off.
func (c *Client) SetVirtualization(ctx context.Context, on bool) error {
	return c.call(ctx, "SetVirtualization", []any{on}, nil)
}

// CheckFiles has the daemon read all its files.
func (c *Client) CheckFiles(ctx context.Context) (FilesCheck, error) {
	check := FilesCheck{}
	var faults []faultEntry
	err := c.call(ctx, "CheckFiles", nil, []any{&check.Files, &faults})
	for _, f := range faults {
		check.Faults = append(check.Faults, FileFault(f))
	}
	return check, err
}

// DumpState returns JSON for a report of a bug.
func (c *Client) DumpState(ctx context.Context) (string, error) {
	var text string
	err := c.call(ctx, "DumpState", nil, []any{&text})
	return text, err
}

// Reexecute makes the daemon execute the installed program, and waits until
// that one is on the bus.
func (c *Client) Reexecute(ctx context.Context) error {
	before, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if err := c.call(ctx, "Reexecute", nil, nil); err != nil {
		return err
	}
	for {
		now, err := c.Status(ctx)
		if err == nil && !now.StartedAt.Equal(before.StartedAt) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the new process is not on the bus: %w", errors.Join(ctx.Err(), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
