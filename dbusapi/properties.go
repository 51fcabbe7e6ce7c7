package dbusapi

import (
	"fmt"

	"github.com/godbus/dbus/v5"
)

// get is Properties.Get.
func (c *call) get() ([]any, error) {
	iface, name := c.args[0].(string), c.args[1].(string)
	d := c.node.declaration(iface)
	if d == nil {
		return nil, newError(errorUnknownInterface, "%s has no interface %q", c.node.path, iface)
	}
	if d.property(name) == nil {
		return nil, newError(errorUnknownProperty, "%s has no property %q", iface, name)
	}
	all, err := c.values(iface)
	if err != nil {
		return nil, err
	}
	return []any{dbus.MakeVariant(all[name])}, nil
}

// getAll is Properties.GetAll; "" stands for all interfaces.
func (c *call) getAll() ([]any, error) {
	iface := c.args[0].(string)
	if iface == "" {
		iface = c.node.interfaces[len(c.node.interfaces)-1].Name
	}
	if c.node.declaration(iface) == nil {
		return nil, newError(errorUnknownInterface, "%s has no interface %q", c.node.path, iface)
	}
	all, err := c.values(iface)
	if err != nil {
		return nil, err
	}
	return []any{all.variants()}, nil
}

// values returns the properties of the object that is called.
func (c *call) values(iface string) (values, error) {
	switch iface {
	case ManagerInterface:
		known, err := c.containers()
		return managerValues(c.manager.Status(), c.manager.Connections(), known), err
	case ConnectionInterface:
		for _, k := range c.manager.Connections() {
			if ConnectionPath(k.ID) == c.node.path {
				return valuesOf(&k), nil
			}
		}
		return nil, newError(errorUnknownObject, "no connection %s", c.node.path)
	case ContainerInterface:
		return c.containerValues()
	case LogControlInterface:
		return logControlValues(c.manager.Status()), nil
	}
	return values{}, nil
}

// container returns the container whose object is called.
func (c *call) container() (Container, error) {
	known, err := c.containers()
	for _, k := range known {
		if ContainerPath(k.ID) == c.node.path {
			return k, err
		}
	}
	if err == nil {
		err = newError(errorUnknownObject, "no container %s", c.node.path)
	}
	return Container{}, err
}

func (c *call) containerValues() (values, error) {
	k, err := c.container()
	if err != nil {
		return nil, err
	}
	usage, err := c.manager.Usage(k.ID)
	if err != nil {
		return nil, err
	}
	return valuesOf(&ContainerUsage{k, usage}), nil
}

// set is Properties.Set. Only LogControl1 has something to set.
func (c *call) set() ([]any, error) {
	iface, name, value := c.args[0].(string), c.args[1].(string), c.args[2].(dbus.Variant)
	d := c.node.declaration(iface)
	if d == nil {
		return nil, newError(errorUnknownInterface, "%s has no interface %q", c.node.path, iface)
	}
	p := d.property(name)
	switch {
	case p == nil:
		return nil, newError(errorUnknownProperty, "%s has no property %q", iface, name)
	case p.Access != "readwrite":
		return nil, newError(errorPropertyReadOnly, "%s cannot be set", name)
	case value.Signature().String() != p.Type:
		return nil, newError(errorInvalidArgs, "%s is of type %q, not %q", name, p.Type, value.Signature().String())
	}
	if err := c.authorize(); err != nil {
		return nil, err
	}
	text := value.Value().(string)
	if name == "LogLevel" {
		return nil, c.manager.SetLogLevel(text)
	}
	if target := c.manager.Status().LogTarget; text != target && text != "auto" {
		return nil, fmt.Errorf("%w: messages go to the %s", ErrInvalid, target)
	}
	return nil, nil
}

// getManagedObjects is ObjectManager's. Containers that go while they are looked
// at are left out.
func (c *call) getManagedObjects() ([]any, error) {
	objects := make(map[dbus.ObjectPath]map[string]map[string]dbus.Variant)
	for _, k := range c.manager.Connections() {
		objects[ConnectionPath(k.ID)] = withProperties(ConnectionInterface, valuesOf(&k))
	}
	known, err := c.containers()
	if err != nil {
		return nil, err
	}
	for _, k := range known {
		usage, err := c.manager.Usage(k.ID)
		if err == nil {
			objects[ContainerPath(k.ID)] = withProperties(ContainerInterface, valuesOf(&ContainerUsage{k, usage}))
		}
	}
	return []any{objects}, nil
}

// withProperties lists the interfaces of a connection or a container.
func withProperties(iface string, v values) map[string]map[string]dbus.Variant {
	none := map[string]dbus.Variant{}
	return map[string]map[string]dbus.Variant{
		"org.freedesktop.DBus.Peer": none, introspectable: none, propertiesInterface: none,
		iface: v.variants(),
	}
}
