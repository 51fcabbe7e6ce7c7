package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// member is a method, a property or a signal.
type member struct {
	kind, name, doc string
	in, out         []string // arguments: "TYPE _NAME_"
}

// page collects what the elements of one XML file say.
type page struct {
	w    io.Writer
	doc  string // the last comment: it is about the element that follows
	open *member
	kind string // of the last member: each kind has a heading
}

// appendSections writes a section on each interface of an introspection file, in
// which a comment is about the element after it:
//
//	<!-- Reads the configuration files again. -->
//	<method name="Reload">
func appendSections(w io.Writer, r io.Reader) error {
	p := page{w: w}
	for d := xml.NewDecoder(r); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.Comment:
			p.doc = strings.Join(strings.Fields(string(t)), " ")
		case xml.StartElement:
			err = p.start(t)
		case xml.EndElement:
			p.end(t.Name.Local)
		}
		if err != nil {
			return err
		}
	}
}

func (p *page) start(e xml.StartElement) error {
	attr := make(map[string]string)
	for _, a := range e.Attr {
		attr[a.Name.Local] = a.Value
	}
	switch kind := e.Name.Local; kind {
	case "interface":
		fmt.Fprintf(p.w, "# INTERFACE %s\n\n%s\n\n", attr["name"], escape(p.doc))
		p.kind = ""
	case "method", "property", "signal":
		if p.doc == "" {
			return fmt.Errorf("no comment on %s %s", kind, attr["name"])
		}
		p.open = &member{kind: kind, name: attr["name"], doc: p.doc}
		if kind == "property" {
			p.open.out = []string{attr["type"]}
		}
		p.doc = ""
	case "arg":
		argument := attr["type"] + " _" + attr["name"] + "_"
		if attr["direction"] == "out" {
			p.open.out = append(p.open.out, argument)
		} else {
			p.open.in = append(p.open.in, argument)
		}
	}
	return nil
}

func (p *page) end(kind string) {
	if p.open == nil || p.open.kind != kind {
		return
	}
	m := p.open
	p.open = nil
	if kind != p.kind {
		fmt.Fprintf(p.w, "## %s\n\n", map[string]string{"method": "Methods", "property": "Properties", "signal": "Signals"}[kind])
		p.kind = kind
	}
	fmt.Fprintf(p.w, "*%s*%s\n\t%s\n\n", m.name, m.signature(), escape(m.doc))
}

// signature is what follows the name.
func (m *member) signature() string {
	if m.kind == "property" {
		return " " + m.out[0]
	}
	s := "(" + strings.Join(m.in, ", ") + ")"
	if len(m.out) > 0 {
		s += " returns " + strings.Join(m.out, ", ")
	}
	return s
}

// escape keeps scdoc from seeing markup.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`").Replace(s)
}
