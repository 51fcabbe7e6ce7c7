package cgroup

import (
	"errors"
	"testing"
)

func TestParseOOMKills(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     uint64
		err      error
	}{
		{"v2", "low 0\nhigh 0\nmax 12\noom 2\noom_kill 3\noom_group_kill 0\n", 3, nil},
		{"v1", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n", 4, nil},
		{"v1 before 4.13", "oom_kill_disable 0\nunder_oom 0\n", 0, nil},
		{"empty", "", 0, nil},
		{"no number", "oom_kill x\n", 0, ErrFormat},
		{"cut", "oom_kill 3", 0, ErrFormat},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseOOMKills([]byte(test.in))
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %d, %v, want %d, %v", got, err, test.want, test.err)
			}
		})
	}
}
