package dbusapi

import (
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/introspect"
)

// nodeKind says what is at a path.
type nodeKind uint8

const (
	nodeDirectory nodeKind = iota // only there to be walked through
	nodeManager
	nodeConnection
	nodeContainer
	nodeLogControl
)

// node is an object as far as its path tells; whether there is such a
// connection or container is known when somebody calls it.
type node struct {
	session    *session
	path       dbus.ObjectPath
	kind       nodeKind
	interfaces []*declaration
}

var _ dbus.Handler = (*session)(nil)

// LookupObject finds the object of a path.
func (s *session) LookupObject(path dbus.ObjectPath) (dbus.ServerObject, bool) {
	kind, ok := kindOf(path)
	if !ok {
		return nil, false
	}
	return &node{session: s, path: path, kind: kind, interfaces: s.interfaces[kind]}, true
}

func kindOf(path dbus.ObjectPath) (nodeKind, bool) {
	p := string(path)
	switch dir := p[:max(strings.LastIndexByte(p, '/'), 0)]; {
	case path == ManagerPath:
		return nodeManager, true
	case path == LogControlPath:
		return nodeLogControl, true
	case dir == connectionDir:
		return nodeConnection, true
	case dir == containerDir:
		return nodeContainer, true
	}
	above := slices.ContainsFunc([]string{connectionDir, containerDir, string(LogControlPath)}, func(leaf string) bool {
		return p == "/" || leaf == p || strings.HasPrefix(leaf, p+"/")
	})
	return nodeDirectory, above
}

// interfacesOf declares what objects of each kind have.
func interfacesOf() (map[nodeKind][]*declaration, error) {
	standard := []string{"org.freedesktop.DBus.Peer", introspectable}
	own := map[nodeKind][]string{
		nodeDirectory:  nil,
		nodeManager:    {propertiesInterface, objectManagerInterface, ManagerInterface},
		nodeConnection: {propertiesInterface, ConnectionInterface},
		nodeContainer:  {propertiesInterface, ContainerInterface},
		nodeLogControl: {propertiesInterface, LogControlInterface},
	}
	all := make(map[nodeKind][]*declaration)
	for kind, names := range own {
		list, err := declare(append(standard[:2:2], names...)...)
		if err != nil {
			return nil, err
		}
		all[kind] = list
	}
	return all, nil
}

// LookupInterface finds an interface; "" is all of them.
func (n *node) LookupInterface(name string) (dbus.Interface, bool) {
	if name == "" {
		return &member{n, n.interfaces}, true
	}
	d := n.declaration(name)
	return &member{n, []*declaration{d}}, d != nil
}

func (n *node) declaration(name string) *declaration {
	for _, d := range n.interfaces {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// member is one interface of a node, or all of them.
type member struct {
	node       *node
	interfaces []*declaration
}

// LookupMethod finds a method that the XML declares.
func (m *member) LookupMethod(name string) (dbus.Method, bool) {
	for _, d := range m.interfaces {
		if decl := d.method(name); decl != nil {
			return &method{node: m.node, decl: decl, run: methods()[d.Name+"."+name]}, true
		}
	}
	return nil, false
}

// method is a declared method and what it does.
type method struct {
	node *node
	decl *introspect.Method
	run  func(*call) ([]any, error)
}

var _ dbus.ArgumentDecoder = (*method)(nil)

// call is a method call.
type call struct {
	*session
	conn   *dbus.Conn // the session's own is not there before it has said hello
	node   *node
	sender string
	// interactive: the caller can wait for somebody to type a password.
	interactive bool
	args        []any
}

// DecodeArguments makes a call of a message whose arguments are as declared.
func (m *method) DecodeArguments(conn *dbus.Conn, sender string, msg *dbus.Message, args []any) ([]any, error) {
	got, _ := msg.Headers[dbus.FieldSignature].Value().(dbus.Signature)
	if want := signature(m.decl, "in"); got.String() != want {
		return nil, newError(errorInvalidArgs, "%s takes arguments of signature %q, not %q", m.decl.Name, want, got.String())
	}
	return []any{&call{
		session: m.node.session, conn: conn, node: m.node, sender: sender, args: args,
		interactive: msg.Flags&dbus.FlagAllowInteractiveAuthorization != 0,
	}}, nil
}

// Call runs a method, when its turn has come and the caller may.
// A panic is the caller's: the process has readers of files to serve.
func (m *method) Call(args ...any) (out []any, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, newError(errorFailed, "%s panicked: %v", m.decl.Name, p)
		}
	}()
	c := args[0].(*call)
	if !c.gate.enter() {
		return nil, newError(errorLimitsExceeded, "too many calls at a time")
	}
	defer c.gate.leave()
	if m.run == nil {
		return nil, newError(errorFailed, "%s is not implemented", m.decl.Name)
	}
	if annotated(m.decl.Annotations, privilegedAnnotation) == "true" {
		if err := c.authorize(); err != nil {
			return nil, err
		}
	}
	if out, err = m.run(c); err != nil {
		return nil, asError(err)
	}
	return encodeAll(out), nil
}

// The rest of dbus.Method is not used where there is DecodeArguments.

// NumArguments is not used.
func (m *method) NumArguments() int { return 0 }

// NumReturns is not used.
func (m *method) NumReturns() int { return 0 }

// ArgumentValue is not used.
func (m *method) ArgumentValue(int) any { return nil }

// ReturnValue is not used.
func (m *method) ReturnValue(int) any { return nil }
