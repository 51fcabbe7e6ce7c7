// Package machine runs what is below the file system, from the caller of a read
// to the View, over a captured or made-up machine in place of the running one.
// It is for tests.
package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/fs/view"
)

// Machine is a machine's files and what reads them.
type Machine struct {
	FS       hostfile.FS
	Host     *cgroup.Host
	Resolver *container.Resolver
	Gatherer *view.Gatherer
	Loads    *view.Loads
	// Options are those of the connection; at first those of a daemon that was
	// given none.
	Options view.Options
	// Now is the time since boot; at first that of /proc/uptime.
	Now time.Duration
}

// New returns the machine that files are of.
func New(t testing.TB, files hostfile.FS) *Machine {
	t.Helper()
	host, err := cgroup.Detect(files)
	if err != nil {
		t.Fatal(err)
	}
	host.PageSize = pageSize(t, files)
	m := &Machine{FS: files, Host: host, Resolver: container.New(host, container.Options{})}
	m.Options = view.Options{Swap: true, Zswap: true, Loadavg: true}
	m.Now = uptime(t, files)
	cpus := possible(t, files)
	accounts, err := view.OpenAccounts(Memory(t, view.AccountsSize(cpus)), cpus)
	if err != nil {
		t.Fatal(err)
	}
	m.Loads = view.NewLoads(host, m.clock)
	m.Gatherer = view.New(host, m.clock, accounts, m.Loads)
	return m
}

// Memory returns so many bytes that are 0 and take no room before they are used,
// until the test ends.
func Memory(t testing.TB, size int64) []byte {
	t.Helper()
	mem, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(mem); err != nil {
			t.Error(err)
		}
	})
	return mem
}

func (m *Machine) clock() time.Duration { return m.Now }

func uptime(t testing.TB, files hostfile.FS) time.Duration {
	t.Helper()
	var up, idle float64
	text, err := files.Append(nil, "/proc/uptime")
	if err == nil {
		_, err = fmt.Sscan(string(text), &up, &idle)
	}
	if err != nil {
		t.Fatalf("/proc/uptime: %v", err)
	}
	return time.Duration(math.Round(up*100)) * 10 * time.Millisecond
}

// pageSize returns what getconf(1) says on the machine; captures that do not tell
// are of machines with 4 KiB.
func pageSize(t testing.TB, files hostfile.FS) uint64 {
	t.Helper()
	text, err := files.Append(nil, "/getconf/PAGESIZE")
	if errors.Is(err, fs.ErrNotExist) {
		return 4096
	}
	size, errNumber := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil || errNumber != nil {
		t.Fatalf("getconf/PAGESIZE %q: %v", text, err)
	}
	return size
}

func possible(t testing.TB, files hostfile.FS) int {
	t.Helper()
	text, err := files.Append(nil, "/sys/devices/system/cpu/possible")
	if errors.Is(err, fs.ErrNotExist) {
		text, err = files.Append(nil, "/sys/devices/system/cpu/online")
	}
	if err != nil {
		t.Fatal(err)
	}
	set, err := cgroup.ParseCPUList(text)
	if err != nil || set.Empty() {
		t.Fatalf("possible CPUs %q: %v", text, err)
	}
	return set.Last() + 1
}

// Container returns the container of a caller, a thread of the machine.
func (m *Machine) Container(t testing.TB, tid int) *container.Container {
	t.Helper()
	d, err := m.Resolver.Resolve(uint32(tid))
	if err != nil {
		t.Fatal(err)
	}
	if d.Container == nil {
		t.Fatalf("caller %d sees the host: %s %s", tid, d.Reason, d.Detail)
	}
	return d.Container
}

// Read renders a file for a container. An error of ErrNotExist for
// the host's own file means that this machine has none.
func (m *Machine) Read(c *container.Container, f view.File) (got, host []byte, v *view.View, err error) {
	host, err = m.FS.Append(nil, f.Path)
	if err != nil {
		return nil, nil, nil, err
	}
	v = new(view.View)
	if err := m.Gatherer.Gather(v, c, f.Needs, m.Options); err != nil {
		return nil, host, v, err
	}
	got, err = f.Append(nil, host, v)
	return got, host, v, err
}
