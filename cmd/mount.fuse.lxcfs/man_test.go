package main

import (
	"slices"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/packaging/man"
)

// Its page describes what the command accepts, and no other option.
func TestManPage(t *testing.T) {
	page, err := man.Read("../../packaging/man", "mount.fuse.lxcfs.8")
	if err != nil {
		t.Fatal(err)
	}
	options := []string{"--help", "--version", "--detach-dead"}
	for letter := rune('!'); letter <= '~'; letter++ {
		_, err := parseArguments([]string{"a", "b", "-" + string(letter)})
		if err == nil || strings.Contains(err.Error(), "needs a value") {
			options = append(options, "-"+string(letter))
		}
	}
	options = slices.DeleteFunc(options, func(o string) bool { return o == "--" }) // the end of options
	slices.Sort(options)
	if got := page.Options(); !slices.Equal(got, options) {
		t.Errorf("the page has %q, the command %q", got, options)
	}
}
