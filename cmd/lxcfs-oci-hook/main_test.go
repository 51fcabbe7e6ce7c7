package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		strict   bool
		status   int
		said     string
	}{
		{"a failure is said, and no more", `{"id":"c1","bundle":"/no/such"}`, false, 0, "lxcfs: container c1 sees the host's numbers: open /no/such/config.json"},
		{"unless failures count", `{"id":"c1","bundle":"/no/such"}`, true, 1, "/no/such"},
		{"or count for this container", `{"id":"c1","bundle":"/no/such","annotations":{"org.linuxcontainers.lxcfs":"strict"}}`, false, 1, "/no/such"},
		{"a container that wants none", `{"id":"c1","bundle":"/no/such","annotations":{"org.linuxcontainers.lxcfs":"off"}}`, true, 0, ""},
		{"no state", "", true, 1, "standard input"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stderr bytes.Buffer
			if got := run(strings.NewReader(tt.in), &stderr, "/no/such", tt.strict); got != tt.status {
				t.Errorf("got status %d, want %d", got, tt.status)
			}
			if tt.said == "" && stderr.Len() > 0 || !strings.Contains(stderr.String(), tt.said) {
				t.Errorf("said %q, want %q", stderr.String(), tt.said)
			}
		})
	}
}
