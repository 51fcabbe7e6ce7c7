// Command dbuspage writes the man page of the D-Bus interfaces in the format of
// scdoc(5): what a template says, with a section on each interface in place of
// the line @INTERFACES@.
//
//	dbuspage TEMPLATE XML...
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "dbuspage:", err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	if len(args) < 2 {
		return fmt.Errorf("want a template and XML files, got %d arguments", len(args))
	}
	template, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var sections strings.Builder
	for _, name := range args[1:] {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		err = appendSections(&sections, file)
		file.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	before, after, found := strings.Cut(string(template), "@INTERFACES@\n")
	if !found {
		return fmt.Errorf("%s: no line @INTERFACES@", args[0])
	}
	_, err = io.WriteString(w, before+sections.String()+after)
	return err
}
