package cgroup

import (
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// recorder notes the files that are read.
type recorder struct {
	hostfile.FS
	names *[]string
}

func (r recorder) Append(dst []byte, name string) ([]byte, error) {
	*r.names = append(*r.names, name)
	return r.FS.Append(dst, name)
}

func hasPrefixes(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func TestParseMax(t *testing.T) {
	tests := []struct {
		name, in string
		want     uint64
		bad      bool
	}{
		{"number", "268435456\n", 268435456, false},
		{"zero", "0\n", 0, false},
		{"max", "max\n", Max, false},
		{"largest", "18446744073709551615\n", Max, false},
		{"overflow", "18446744073709551616\n", 0, true},
		{"far overflow", "99999999999999999999\n", 0, true},
		{"negative", "-1\n", 0, true},
		{"plus", "+1\n", 0, true},
		{"empty", "", 0, true},
		{"empty line", "\n", 0, true},
		{"truncated", "26843", 0, true},
		{"truncated max", "max", 0, true},
		{"CRLF", "1\r\n", 0, true},
		{"extra column", "1 2\n", 0, true},
		{"extra line", "1\n2\n", 0, true},
		{"hex", "0x1\n", 0, true},
		{"huge line", strings.Repeat("1", 1<<16) + "\n", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseMax([]byte(tt.in))
			if got != tt.want || (err != nil) != tt.bad {
				t.Errorf("got %d, %v, want %d", got, err, tt.want)
			}
			if tt.bad {
				mustBe(t, err, ErrFormat)
				if len(err.Error()) > 500 {
					t.Errorf("got an error of %d bytes", len(err.Error()))
				}
			}
		})
	}
	if _, err := parseSingle([]byte("max\n")); err == nil {
		t.Error("a usage of max is accepted")
	}
}

func FuzzParseValues(f *testing.F) {
	for _, s := range []string{"max\n", "1\n", "-1\n", "max 100000\n", "1 2\n", "9223372036854771712\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := parseMax(b); err == nil && v < Max && strings.TrimLeft(string(b), "0") != strings.TrimLeft(uintLine(v), "0") {
			t.Errorf("got %d from %q", v, b)
		}
		if quota, period, err := parseCPUMax(b); err == nil && (CPUQuota{QuotaUsec: quota, PeriodUsec: period}).Ceil() < 1 {
			t.Errorf("got %d of %d from %q", quota, period, b)
		}
		_, _ = parseLimitV1(b)
		_, _, _ = parseCFSQuota(b)
		_, _ = parseOOMKills(b)
	})
}

func uintLine(v uint64) string {
	var digits []byte
	for ; v > 0; v /= 10 {
		digits = append([]byte{byte('0' + v%10)}, digits...)
	}
	return string(digits) + "\n"
}
