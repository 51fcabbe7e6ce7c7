package dbusapi

import (
	"embed"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5/introspect"
)

// files holds the XML files, named after their interfaces: those of
// lxcfs, and in standard/ those of others that it has too.
//
//go:embed *.xml standard/*.xml
var files embed.FS

// Annotations of the XML files.
const (
	privilegedAnnotation = "org.freedesktop.systemd1.Privileged"
	emitsAnnotation      = "org.freedesktop.DBus.Property.EmitsChangedSignal"
)

// declaration is an interface as its file has it.
type declaration struct {
	introspect.Interface
	text string // the <interface> element
}

// declare parses the files of these interfaces.
func declare(names ...string) ([]*declaration, error) {
	var all []*declaration
	for _, name := range names {
		d, err := parse(name)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

func parse(name string) (*declaration, error) {
	file := name + ".xml"
	if !strings.HasPrefix(name, BusName) {
		file = "standard/" + file
	}
	content, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var node introspect.Node
	if err := xml.Unmarshal(content, &node); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(node.Interfaces) != 1 || node.Interfaces[0].Name != name {
		return nil, fmt.Errorf("%s: want one interface, %s", file, name)
	}
	_, element, _ := strings.Cut(string(content), "\n  <interface ")
	element, _, _ = strings.Cut(element, "\n</node>")
	return &declaration{Interface: node.Interfaces[0], text: "  <interface " + element + "\n"}, nil
}

// method returns a method's declaration, nil for none.
func (d *declaration) method(name string) *introspect.Method {
	for i := range d.Methods {
		if d.Methods[i].Name == name {
			return &d.Methods[i]
		}
	}
	return nil
}

// property returns a property's declaration, nil for none.
func (d *declaration) property(name string) *introspect.Property {
	for i := range d.Properties {
		if d.Properties[i].Name == name {
			return &d.Properties[i]
		}
	}
	return nil
}

// signature joins the types of a method's arguments of a direction.
func signature(m *introspect.Method, direction string) string {
	var s strings.Builder
	for _, a := range m.Args {
		if a.Direction == direction {
			s.WriteString(a.Type)
		}
	}
	return s.String()
}

// annotated returns the value of an annotation, "" for none.
func annotated(list []introspect.Annotation, name string) string {
	for _, a := range list {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// introspection is the text for an object with these interfaces and children.
func introspection(interfaces []*declaration, children []string) string {
	var s strings.Builder
	s.WriteString(strings.TrimLeft(introspect.IntrospectDeclarationString, "\n\t"))
	s.WriteString("<node>\n")
	for _, d := range interfaces {
		s.WriteString(d.text)
	}
	for _, c := range children {
		fmt.Fprintf(&s, "  <node name=%q/>\n", c)
	}
	s.WriteString("</node>\n")
	return s.String()
}
