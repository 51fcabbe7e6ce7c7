package main

import (
	"slices"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"linuxcontainers.org/lxcfs/packaging/man"
)

// The page has a part "## VERB" on each verb, with the verb's options and no
// other.
func TestManPage(t *testing.T) {
	page, err := man.Read("../../packaging/man", "lxcfsctl.1")
	if err != nil {
		t.Fatal(err)
	}
	cmd := newCommand()
	cmd.InitDefaultCompletionCmd()
	for _, verb := range cmd.Commands() {
		part := page.Subsection(verb.Name())
		if part.String() == "" {
			t.Errorf("nothing on %s", verb.Name())
		} else if got, want := part.Options(), optionsOf(verb); !slices.Equal(got, want) {
			t.Errorf("%s: the page has %q, the command %q", verb.Name(), got, want)
		}
	}
}

// optionsOf returns the options of a verb and of its own verbs.
func optionsOf(cmd *cobra.Command) []string {
	var options []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		options = append(options, "--"+f.Name)
		if f.Shorthand != "" {
			options = append(options, "-"+f.Shorthand)
		}
	})
	for _, sub := range cmd.Commands() {
		options = append(options, optionsOf(sub)...)
	}
	slices.Sort(options)
	return slices.Compact(options)
}
