package dbusapi

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"
)

// publisher tells the bus what changed. One goroutine uses it.
type publisher struct {
	*session
	connections    map[dbus.ObjectPath]Connection
	containers     map[dbus.ObjectPath]Container
	virtualization bool
}

// newPublisher takes what is there now as known.
func newPublisher(s *session) *publisher {
	p := &publisher{session: s}
	p.connections, p.containers = p.look()
	p.virtualization = s.manager.Status().Virtualization
	return p
}

func (p *publisher) look() (map[dbus.ObjectPath]Connection, map[dbus.ObjectPath]Container) {
	connections := make(map[dbus.ObjectPath]Connection)
	for _, c := range p.manager.Connections() {
		connections[ConnectionPath(c.ID)] = c
	}
	containers := make(map[dbus.ObjectPath]Container)
	// Signals go to everybody: of what not everybody may know there are none.
	if !p.manager.Access().Hidden {
		for _, c := range p.manager.Containers() {
			containers[ContainerPath(c.ID)] = c
		}
	}
	return connections, containers
}

// run publishes until the bus is gone or ctx is done: at most once in each
// interval, however much happens.
func (p *publisher) run(ctx context.Context) {
	poll := time.NewTicker(p.config.Poll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.conn.Context().Done():
			return
		case <-p.reloaded:
			p.emit(ManagerPath, ManagerInterface+".Reloaded")
		case <-p.changed:
		case <-poll.C:
		}
		p.publish()
		select {
		case <-ctx.Done():
		case <-p.conn.Context().Done():
		case <-time.After(p.config.Interval):
		}
	}
}

// publish compares what is there with what was.
func (p *publisher) publish() {
	changed, invalidated := values{}, []string{}
	connections, containers := p.look()
	if p.publishConnections(connections) {
		changed["Connections"] = connectionPaths(p.manager.Connections())
	}
	if p.publishContainers(containers) {
		invalidated = append(invalidated, "Containers")
	}
	if on := p.manager.Status().Virtualization; on != p.virtualization {
		p.virtualization = on
		changed["Virtualization"] = on
	}
	if len(changed)+len(invalidated) > 0 {
		p.emit(ManagerPath, propertiesInterface+".PropertiesChanged", ManagerInterface, changed.variants(), invalidated)
	}
}

func (p *publisher) publishConnections(now map[dbus.ObjectPath]Connection) (changed bool) {
	for path, c := range p.connections {
		if _, ok := now[path]; !ok {
			p.emit(ManagerPath, ManagerInterface+".ConnectionRemoved", c.ID, path)
			p.removed(path, ConnectionInterface)
			changed = true
		}
	}
	for path, c := range now {
		if _, ok := p.connections[path]; !ok {
			p.emit(ManagerPath, objectManagerInterface+".InterfacesAdded", path, withProperties(ConnectionInterface, valuesOf(&c)))
			p.emit(ManagerPath, ManagerInterface+".ConnectionAdded", c.ID, path)
			changed = true
		}
	}
	p.connections = now
	return changed
}

func (p *publisher) publishContainers(now map[dbus.ObjectPath]Container) (changed bool) {
	for path := range p.containers {
		if _, ok := now[path]; !ok {
			p.removed(path, ContainerInterface)
			changed = true
		}
	}
	for path, c := range now {
		if _, ok := p.containers[path]; ok {
			continue
		}
		changed = true
		usage, err := p.manager.Usage(c.ID)
		if err != nil { // gone already
			delete(now, path)
			continue
		}
		p.emit(ManagerPath, objectManagerInterface+".InterfacesAdded", path, withProperties(ContainerInterface, valuesOf(&ContainerUsage{c, usage})))
	}
	p.containers = now
	return changed
}

func (p *publisher) removed(path dbus.ObjectPath, iface string) {
	p.emit(ManagerPath, objectManagerInterface+".InterfacesRemoved", path,
		[]string{"org.freedesktop.DBus.Peer", introspectable, propertiesInterface, iface})
}

// emit sends a signal. An error means that the bus is gone, which is seen
// elsewhere.
func (p *publisher) emit(path dbus.ObjectPath, signal string, args ...any) {
	_ = p.conn.Emit(path, signal, encodeAll(args)...)
}
