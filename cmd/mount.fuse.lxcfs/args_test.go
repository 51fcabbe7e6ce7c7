package main

import (
	"strings"
	"testing"
)

func TestParseArguments(t *testing.T) {
	for _, tt := range []struct {
		args string
		want arguments
	}{
		{"lxcfs /m", arguments{source: "lxcfs", target: "/m"}},
		{"lxcfs /m -o rw,cpu=quota", arguments{source: "lxcfs", target: "/m", options: "rw,cpu=quota"}},
		{"lxcfs /m -sfnv -o rw -t fuse.lxcfs", arguments{source: "lxcfs", target: "/m", options: "rw", fake: true, verbose: true}},
		{"-vo ro lxcfs -oswap /m", arguments{source: "lxcfs", target: "/m", options: "ro,swap", verbose: true}},
		{"-- lxcfs -m", arguments{source: "lxcfs", target: "-m"}},
		{"- /m", arguments{source: "-", target: "/m"}},
		{"--help", arguments{help: true}},
		{"-V x", arguments{version: true}},
	} {
		got, err := parseArguments(strings.Fields(tt.args))
		if err != nil || got != tt.want {
			t.Errorf("%q: got %+v, %v, want %+v", tt.args, got, err, tt.want)
		}
	}
	for args, want := range map[string]string{
		"":                       "got 0 names",
		"lxcfs":                  "got 1 names",
		"lxcfs /a /b":            "got 3 names",
		"lxcfs /m -o":            "option -o needs a value",
		"lxcfs /m -x":            "unknown option -x",
		"lxcfs /m --frob":        "unknown option --",
		"lxcfs /m -t ext4":       `type "ext4" is not fuse.lxcfs`,
		"lxcfs /m -N /proc/1/ns": "-N is not supported",
	} {
		if _, err := parseArguments(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", args, err, want)
		}
	}
}

func FuzzParseArguments(f *testing.F) {
	f.Add("lxcfs\x00/m\x00-sfnv\x00-o\x00rw")
	f.Fuzz(func(t *testing.T, in string) {
		a, err := parseArguments(strings.Split(in, "\x00"))
		if err == nil && !a.help && !a.version && strings.Count(in, "\x00") < 1 {
			t.Errorf("%q gives two names: %+v", in, a)
		}
	})
}
