package daemon

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/config"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
	"linuxcontainers.org/lxcfs/fs"
	"linuxcontainers.org/lxcfs/fs/view"
)

// testServer serves nothing yet. Its machine has no cgroup tree to serve.
func testServer(t *testing.T) *server {
	t.Helper()
	files := &hosttest.Archive{Files: map[string]string{
		"/proc/self/mountinfo":              "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"/sys/fs/cgroup/cgroup.controllers": "memory\n",
	}}
	return serverOn(t, files)
}

// serverOn serves nothing yet of that machine.
func serverOn(t *testing.T, files hostfile.FS) *server {
	t.Helper()
	host, err := cgroup.Detect(files)
	if err != nil {
		t.Fatal(err)
	}
	host.PageSize = 4096
	return &server{
		log:    logs.New(io.Discard, false),
		limits: logs.NewLimiter(),
		machine: &machine{
			host: host, files: files, cpus: possibleCPUs(files), resolver: container.New(host, container.Options{}),
			loads: view.NewLoads(host, func() time.Duration { return time.Hour }),
		},
		switches: new(fs.Switches),
		store:    new(descriptors),
		done:     make(chan ended),
		asked:    make(chan func()),
		finished: make(chan struct{}),
		conns:    make(map[string]*connection),
		past:     make(fileSums),
		config:   config.Config{},
	}
}

// ours counts what this process has open and mapped of a connection: memfds with
// its names, and /dev/null, which stands for the connection.
func ours(t *testing.T) (open, mapped int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if strings.HasPrefix(name, "/memfd:lxcfs-") || name == "/dev/null" {
			open++
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return open, strings.Count(string(maps), "/memfd:lxcfs-")
}

// A mount that is refused leaves nothing behind, wherever it failed: whoever may
// mount could fill the table of descriptors.
func TestRefusedMountLeavesNothing(t *testing.T) {
	memfd := func(t *testing.T, size int64) int {
		fd, err := unix.MemfdCreate("lxcfs-test", unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Ftruncate(fd, size); err != nil {
			t.Fatal(err)
		}
		return fd
	}
	for name, tt := range map[string]struct {
		options string
		change  func(t *testing.T, s *server, p *parts)
		opened  bool
	}{
		"none":                       {opened: true},
		"an option that is none":     {options: "cpu=many"},
		"a cgroup tree there is not": {options: "cgroup", change: func(_ *testing.T, s *server, _ *parts) { s.machine.cgroups.err = errors.New("none") }},
		"no connection":              {change: func(_ *testing.T, _ *server, p *parts) { unix.Close(p.fuse); p.fuse = -1 }},
		"accounts that can't grow":   {change: func(t *testing.T, _ *server, p *parts) { p.accounts = readOnly(t, memfd(t, 1)) }},
		"restored, and no CPUs": {change: func(t *testing.T, s *server, p *parts) {
			s.machine.cpus, p.served, p.journal = 0, true, memfd(t, 8)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			open, mapped := ours(t)
			s := testServer(t)
			s.machine.cgroups.once.Do(func() {})
			p := freshParts(readOnly(t, -1))
			if tt.change != nil {
				tt.change(t, s, &p)
			}
			c, err := s.open("7", p, origin{Mountpoint: "/mnt", Options: tt.options})
			if opened := err == nil; opened != tt.opened {
				t.Fatalf("got %v", err)
			}
			if err == nil {
				c.close()
			}
			if o, m := ours(t); o != open || m != mapped {
				t.Errorf("%d descriptors and %d mappings are left", o-open, m-mapped)
			}
		})
	}
}

// readOnly opens /dev/null, or what a descriptor is of in its place, for reading.
func readOnly(t *testing.T, fd int) int {
	t.Helper()
	name := "/dev/null"
	if fd >= 0 {
		name = fmt.Sprintf("/proc/self/fd/%d", fd)
		defer unix.Close(fd)
	}
	got, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
