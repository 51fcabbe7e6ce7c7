package proc

import (
	"bytes"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/fs/view"
)

// consistent holds the checks that a file must pass for any view, beside being
// what testdata says.
var consistent = map[string]func(t *testing.T, got, host []byte, v *view.View){
	"cpuinfo":   checkCpuinfo,
	"diskstats": checkDiskstats,
	"meminfo":   checkMeminfo,
	"stat":      checkStat,
	"swaps":     checkSwaps,
}

func lines(text []byte) []string {
	return strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
}

// fields returns the values of meminfo, kB.
func fields(t *testing.T, text []byte) map[string]uint64 {
	t.Helper()
	values := make(map[string]uint64)
	for _, line := range lines(text) {
		key, value, _ := strings.Cut(line, ":")
		n, ok := parseUint([]byte(strings.TrimSuffix(strings.TrimSpace(value), " kB")))
		if !ok {
			continue
		}
		if _, twice := values[key]; twice {
			t.Errorf("%s comes twice", key)
		}
		values[key] = n
	}
	return values
}

// checkMeminfo: every line of the host is there, in its order and columns; no
// number is above what contains it.
func checkMeminfo(t *testing.T, got, host []byte, v *view.View) {
	t.Helper()
	gotLines, hostLines := lines(got), lines(host)
	if len(gotLines) != len(hostLines) {
		t.Fatalf("got %d lines, want %d", len(gotLines), len(hostLines))
	}
	for i, line := range gotLines {
		key, value, _ := strings.Cut(line, ":")
		hostKey, hostValue, _ := strings.Cut(hostLines[i], ":")
		if key != hostKey {
			t.Fatalf("line %d: got %q, want %q", i, key, hostKey)
		}
		digits := len(strings.Fields(hostValue)[0])
		if want := len(hostValue) - max(digits-8, 0); digits >= 8 && len(strings.Fields(value)[0]) <= 8 && len(value) != want && value != hostValue {
			t.Errorf("got %q, want %d columns after the colon", line, want)
		} else if digits <= 8 && len(value) < len(hostValue) {
			t.Errorf("got %q, want the columns of %q", line, hostLines[i])
		}
	}
	m, h := fields(t, got), fields(t, host)
	for _, c := range []struct {
		what  string
		part  uint64
		whole uint64
	}{
		{"MemTotal <= host's", m["MemTotal"], h["MemTotal"]},
		{"MemTotal <= limit", m["MemTotal"], v.Memory.Limit.Value >> 10},
		{"MemFree <= MemTotal", m["MemFree"], m["MemTotal"]},
		{"MemAvailable <= MemTotal", m["MemAvailable"], m["MemTotal"]},
		{"free's used >= 0", m["MemFree"] + m["Buffers"] + m["Cached"] + m["SReclaimable"], m["MemTotal"]},
		{"SwapFree <= SwapTotal", m["SwapFree"], m["SwapTotal"]},
		{"SwapTotal <= host's", m["SwapTotal"], h["SwapTotal"]},
		{"SReclaimable <= Slab", m["SReclaimable"], m["Slab"]},
		{"Active(anon) <= Active", m["Active(anon)"], m["Active"]},
		{"Inactive(file) <= Inactive", m["Inactive(file)"], m["Inactive"]},
		{"Mlocked <= Unevictable", m["Mlocked"], m["Unevictable"]},
	} {
		if c.part > c.whole {
			t.Errorf("%s: %d > %d", c.what, c.part, c.whole)
		}
	}
}

func checkSwaps(t *testing.T, got, host []byte, v *view.View) {
	t.Helper()
	if n := len(lines(got)); n > 2 {
		t.Errorf("got %d lines, want at most 2", n)
	}
	header, row := cutLine(got)
	if hostHeader, _ := cutLine(host); !bytes.Equal(header, hostHeader) {
		t.Errorf("got header %q, want the host's %q", header, hostHeader)
	}
	if len(row) == 0 {
		return
	}
	f := strings.Fields(string(row))
	size, _ := parseUint([]byte(f[2]))
	used, _ := parseUint([]byte(f[3]))
	if len(f) != 5 || size == 0 || used > size || v.Memory.SwapLimit.Value != ^uint64(0) && size > v.Memory.SwapLimit.Value>>10 {
		t.Errorf("got %q", row)
	}
}

// checkStat: the cpu line is at least the sum of the others, and has their
// columns; each visible CPU has a line; no other line is lost.
func checkStat(t *testing.T, got, host []byte, v *view.View) {
	t.Helper()
	var total []string
	sums := make([]uint64, 32)
	cpus, others := 0, 0
	for _, line := range lines(got) {
		f := strings.Fields(line)
		switch {
		case f[0] == "cpu":
			total = f[1:]
		case strings.HasPrefix(f[0], "cpu"):
			cpus++
			n, _ := parseUint([]byte(f[0][3:]))
			if !v.CPUs.Has(int(n)) || len(f[1:]) != len(total) {
				t.Errorf("got %q", line)
			}
			for i := range f[1:] {
				n, _ := parseUint([]byte(f[1+i]))
				sums[i] += n
			}
		default:
			others++
		}
	}
	for i, field := range total {
		if n, ok := parseUint([]byte(field)); !ok || n < sums[i] {
			t.Errorf("column %d: cpu has %s, its CPUs %d", i, field, sums[i])
		}
	}
	hostOthers := 0
	for _, line := range lines(host) {
		if !strings.HasPrefix(line, "cpu") {
			hostOthers++
		}
	}
	if cpus != v.CPUs.Count() || others != hostOthers {
		t.Errorf("got %d CPUs and %d other lines, want %d and %d", cpus, others, v.CPUs.Count(), hostOthers)
	}
	if f := strings.Fields(lines(host)[0]); len(f) != len(total)+1 {
		t.Errorf("got %d columns, want %d", len(total), len(f)-1)
	}
}

// checkCpuinfo: as many blocks as visible CPUs, by their numbers, and no line
// that the host has not.
func checkCpuinfo(t *testing.T, got, host []byte, v *view.View) {
	t.Helper()
	blocks := 0
	known := make(map[string]bool)
	for _, line := range lines(host) {
		known[line] = true
	}
	for _, line := range lines(got) {
		kind, cpu, ok := parseCPUName([]byte(line))
		if kind == cpuBlock {
			blocks++
			if !ok || !v.CPUs.Has(int(cpu)) {
				t.Errorf("got %q", line)
			}
		} else if !known[line] && kind != cpuCount {
			t.Errorf("got %q, which the host has not", line)
		}
	}
	if blocks != v.CPUs.Count() {
		t.Errorf("got %d blocks, want %d", blocks, v.CPUs.Count())
	}
	if bytes.HasSuffix(got, []byte("\n\n")) != bytes.HasSuffix(host, []byte("\n\n")) {
		t.Errorf("got the end %q, want the host's %q", got[max(0, len(got)-20):], host[len(host)-20:])
	}
}

func checkDiskstats(t *testing.T, got, host []byte, v *view.View) {
	t.Helper()
	if len(got) == 0 {
		return
	}
	want := len(strings.Fields(lines(host)[0]))
	for _, line := range lines(got) {
		if n := len(strings.Fields(line)); n != want {
			t.Errorf("got %d columns, want %d: %q", n, want, line)
		}
	}
	if len(v.Devices) == 0 && len(lines(got)) > max(1, len(v.IO)) {
		t.Errorf("got %d devices, the container used %d", len(lines(got)), len(v.IO))
	}
}
