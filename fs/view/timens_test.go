package view

import (
	"errors"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
)

const day = 24 * time.Hour

func TestParseClockOffset(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     time.Duration
		ok       bool
	}{
		{"the host's", "monotonic           0         0\nboottime            0         0\n", 0, true},
		{"ahead", "monotonic           0         0\nboottime       864000         0\n", 10 * day, true},
		{"behind, by 0.5 s", "monotonic          -7         1\nboottime           -1 500000000\n", -500 * time.Millisecond, true},
		{"monotonic only", "monotonic      864000         0\n", 0, false},
		{"a zombie's", "", 0, true},
		{"no newline", "boottime 5 6", 5*time.Second + 6, true},
		{"the longest", "boottime 4611686018 999999999\n", 4611686018*time.Second + 999999999, true},
		{"too long", "boottime 4611686019 0\n", 0, false},
		{"too long ago", "boottime -4611686019 0\n", 0, false},
		{"a number that is none", "boottime 9223372036854775808 0\n", 0, false},
		{"too many nanoseconds", "boottime 1 1000000000\n", 0, false},
		{"negative nanoseconds", "boottime 1 -1\n", 0, false},
		{"a column more", "boottime 1 0 0\n", 0, false},
		{"a column less", "boottime 1\n", 0, false},
		{"garbage", "\x00\xff", 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseClockOffset([]byte(test.in))
			if got != test.want || (err == nil) != test.ok || err != nil && !errors.Is(err, cgroup.ErrFormat) {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

func FuzzParseClockOffset(f *testing.F) {
	f.Add([]byte("monotonic           0         0\nboottime       864000         0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		offset, err := parseClockOffset(text)
		if err != nil && !errors.Is(err, cgroup.ErrFormat) || offset.Abs() > maxOffset*time.Second+time.Second {
			t.Errorf("got %v, %v", offset, err)
		}
	})
}
