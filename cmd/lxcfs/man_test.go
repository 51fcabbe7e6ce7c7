package main

import (
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"linuxcontainers.org/lxcfs/packaging/man"
)

// Its page describes each option of the command, and no other.
func TestManPage(t *testing.T) {
	page, err := man.Read("../../packaging/man", "lxcfs.8")
	if err != nil {
		t.Fatal(err)
	}
	var options []string
	newCommand(nil).Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "worker" || f.Name == "completion" { // for itself, and for packages
			return
		}
		options = append(options, "--"+f.Name)
		if f.Shorthand != "" {
			options = append(options, "-"+f.Shorthand)
		}
	})
	slices.Sort(options)
	if got := page.Options(); !slices.Equal(got, options) {
		t.Errorf("the page has\n%q, the command\n%q", got, options)
	}
}
