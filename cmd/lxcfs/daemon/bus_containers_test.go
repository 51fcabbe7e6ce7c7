package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/dbusapi"
	"linuxcontainers.org/lxcfs/test/hosts"
)

// The numbers of a container are those that its own files say, with virtualisation
// and without.
func TestUsageIsInTheFiles(t *testing.T) {
	for _, on := range []bool{true, false} {
		for _, c := range hosts.Containers() {
			t.Run(fmt.Sprint(c.Host, " ", c.Name, " ", on), func(t *testing.T) {
				s := serverOn(t, hosts.Load(t, c.Host))
				s.switches.HostOnly.Store(!on)
				serving(t, s, "1")
				b := &onBus{service: &service{server: s}}
				k, err := b.ContainerOf(uint32(c.PID))
				if err != nil {
					t.Fatal(err)
				}
				before := inFiles(t, b, k.ID)
				got, err := b.Usage(k.ID)
				if err != nil {
					t.Fatal(err)
				}
				after := inFiles(t, b, k.ID)
				if got.UptimeUSec < before.UptimeUSec || got.UptimeUSec > after.UptimeUSec {
					t.Errorf("uptime %d, before %d, after %d", got.UptimeUSec, before.UptimeUSec, after.UptimeUSec)
				}
				want := got // but for what is in files
				want.MemoryTotal, want.MemoryFree, want.MemoryAvailable = after.MemoryTotal, after.MemoryFree, after.MemoryAvailable
				want.SwapTotal, want.SwapFree, want.CPUs, want.CPUUsageUSec = after.SwapTotal, after.SwapFree, after.CPUs, after.CPUUsageUSec
				want.LoadAverage, want.Threads = after.LoadAverage, after.Threads
				if got != want || got.MemoryTotal == 0 || got.CPUs == "" {
					t.Errorf("got\n%+v, want\n%+v", got, want)
				}
			})
		}
	}
}

// inFiles takes the numbers out of the container's files, as programs do.
func inFiles(t *testing.T, b *onBus, id string) (u dbusapi.Usage) {
	t.Helper()
	for file, take := range map[string]func(*dbusapi.Usage, []byte) error{
		"/proc/meminfo": takeMeminfo, "/proc/stat": takeStat, "/proc/loadavg": takeLoadavg,
		"/proc/uptime": takeUptime, "/sys/devices/system/cpu/online": takeOnline,
	} {
		text, err := b.ShowContainer(id, file, "")
		if err == nil {
			err = take(&u, text)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return u
}

// A file that is not served is told from one that can't be read.
func TestShowWhatIsNotServed(t *testing.T) {
	s := serverOn(t, hosts.Load(t, "6.12-debian13-v2-lxc"))
	serving(t, s, "1")
	b := &onBus{service: &service{server: s}}
	for _, file := range []string{"/proc/none", "/proc", "/sys/devices/system/cpu/none", "x", ""} {
		if _, err := b.Show(2540, file, ""); !errors.Is(err, dbusapi.ErrNoSuchFile) {
			t.Errorf("%q: %v", file, err)
		}
	}
	if _, err := b.Show(2540, "/proc/stat", "9"); errors.Is(err, dbusapi.ErrNoSuchFile) || !errors.Is(err, dbusapi.ErrNoSuchConnection) {
		t.Errorf("another connection: %v", err)
	}
}

var errFormat = errors.New("not in the format of the kernel")

// takeMeminfo parses lines of /proc/meminfo:
//
//	MemTotal:         524288 kB
func takeMeminfo(u *dbusapi.Usage, text []byte) error {
	into := map[string]*uint64{
		"MemTotal": &u.MemoryTotal, "MemFree": &u.MemoryFree, "MemAvailable": &u.MemoryAvailable,
		"SwapTotal": &u.SwapTotal, "SwapFree": &u.SwapFree,
	}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		if into[name] == nil {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 53)
		if err != nil {
			return fmt.Errorf("%w: %q", errFormat, line)
		}
		*into[name] = n << 10
	}
	return nil
}

// takeStat parses the first line of /proc/stat, ticks; the first three are CPU
// time that was used:
//
//	cpu  7645 12 3555 99999 3 0 0 0 0 0
func takeStat(u *dbusapi.Usage, text []byte) error {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := strings.Fields(string(line))
	if len(fields) < 5 || fields[0] != "cpu" {
		return fmt.Errorf("%w: %q", errFormat, line)
	}
	for _, f := range fields[1:4] {
		ticks, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return fmt.Errorf("%w: %q", errFormat, line)
		}
		u.CPUUsageUSec += ticks * (1e6 / userHZ)
	}
	return nil
}

// takeLoadavg parses /proc/loadavg:
//
//	0.50 0.25 1.00 1/7 12
func takeLoadavg(u *dbusapi.Usage, text []byte) error {
	fields := strings.Fields(string(text))
	if len(fields) != 5 {
		return fmt.Errorf("%w: %q", errFormat, text)
	}
	_, threads, _ := strings.Cut(fields[3], "/")
	n, err := strconv.ParseUint(threads, 10, 32)
	u.Threads = uint32(n)
	for i := range u.LoadAverage {
		load, failed := strconv.ParseFloat(fields[i], 64)
		u.LoadAverage[i], err = load, errors.Join(err, failed)
	}
	if err != nil {
		return fmt.Errorf("%w: %q", errFormat, text)
	}
	return nil
}

// takeUptime parses /proc/uptime, seconds:
//
//	12.34 5.67
func takeUptime(u *dbusapi.Usage, text []byte) error {
	up, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(up, 64)
	if err != nil {
		return fmt.Errorf("%w: %q", errFormat, text)
	}
	u.UptimeUSec = uint64(seconds*1e6 + 0.5)
	return nil
}

// takeOnline takes a CPU list as it is.
func takeOnline(u *dbusapi.Usage, text []byte) error {
	u.CPUs = strings.TrimSpace(string(text))
	return nil
}
