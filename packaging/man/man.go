// Package man reads the sources of the man pages, for tests that hold them
// against the programs. It renders nothing; scdoc(1) does.
package man

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Page is the source of a page, in the format of scdoc(5).
type Page struct {
	Name string // NAME.SECTION
	text string
}

// Read reads the page NAME.SECTION from the directory of the sources.
func Read(dir, name string) (Page, error) {
	text, err := os.ReadFile(dir + "/" + name + ".scd")
	if err != nil {
		return Page{}, fmt.Errorf("man page: %w", err)
	}
	return Page{Name: name, text: string(text)}, nil
}

// term matches bold text in a line that begins a definition:
//
//	*-o*, *--options* _LIST_
//		Mount options.
var term = regexp.MustCompile(`\*([^*]+)\*`)

// Terms returns the bold words that the page defines, sorted: those of the lines
// that an indented one follows.
func (p Page) Terms() []string {
	var terms, here []string // here are those since the last line that is empty or indented
	for line := range strings.Lines(p.text) {
		switch line[0] {
		case '\t':
			terms = append(terms, here...)
			here = nil
		case '\n':
			here = nil
		default:
			for _, match := range term.FindAllStringSubmatch(line, -1) {
				here = append(here, match[1])
			}
		}
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}

// Options returns the terms that are options of a command.
func (p Page) Options() []string {
	return slices.DeleteFunc(p.Terms(), func(t string) bool { return !strings.HasPrefix(t, "-") })
}

// Section returns the text below the heading "# TITLE" up to the next one, as a
// page; it is empty if there is none.
func (p Page) Section(title string) Page { return p.below("# "+title, "\n# ") }

// Subsection does the same for "## TITLE".
func (p Page) Subsection(title string) Page { return p.below("## "+title, "\n#") }

func (p Page) below(heading, next string) Page {
	_, rest, found := strings.Cut(p.text, "\n"+heading+"\n")
	if !found {
		return Page{}
	}
	text, _, _ := strings.Cut(rest, next)
	return Page{Name: heading, text: text}
}

// String returns the source.
func (p Page) String() string { return p.text }
