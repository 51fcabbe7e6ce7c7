package dbusapi

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
)

// machine is a host with modes of files, owners of processes and a /proc.
type machine struct {
	*hosttest.Archive
	infos map[string]hostfile.Info
}

// Stat returns what is noted of a file.
func (m machine) Stat(name string) (hostfile.Info, error) {
	if info, ok := m.infos[name]; ok {
		return info, nil
	}
	return m.Archive.Stat(name)
}

// hostWith has a /proc mounted with these options, a process 1000 of root and
// one 2000 of nobody, and a file for root only.
func hostWith(options string) machine {
	return machine{
		&hosttest.Archive{Files: map[string]string{
			"/proc/self/mountinfo": "24 31 0:22 / /proc rw,nosuid shared:13 - proc proc rw" + options + "\n",
		}},
		map[string]hostfile.Info{
			"/proc/meminfo": {Mode: 0o444}, "/proc/stat": {Mode: 0o444}, "/proc/slabinfo": {Mode: 0o400},
			"/proc/1000": {UID: 0}, "/proc/2000": {UID: 65534},
		},
	}
}

// fake is a Manager of made-up data.
type fake struct {
	mu          sync.Mutex // guards what follows
	status      Status
	connections []Connection
	containers  []Container
	access      Access
	acted       []string
	fail        error
	block       chan struct{} // Usage waits for it
	panics      bool
}

func newFake() *fake {
	return &fake{
		access: ReadAccess(hostWith("")),
		status: Status{
			Version: "1.2", StartedAt: time.UnixMicro(1700000000123456), Restarts: 3, Virtualization: true,
			CgroupLayout: "v2", CgroupReason: "cgroup2 at /sys/fs/cgroup", Features: []string{"loadavg"},
			LatencyBounds: []uint64{100, 1000}, Latency: []uint64{7, 2, 1},
			Files: []FileStats{
				{Path: "/proc/meminfo", Requests: 9, Errors: 1, InFlight: 2, BusyUSec: 500, Fallbacks: map[string]uint64{"other": 3}},
				{Path: "/proc/slabinfo", Fallbacks: map[string]uint64{}},
				{Path: "/proc/stat", Requests: 1, BusyUSec: 50, Fallbacks: map[string]uint64{}},
			},
			LogLevel: "info", LogTarget: "journal",
		},
		connections: []Connection{{ID: "1", Mountpoint: "/var/lib/lxcfs", Options: "cpu=quota", Restored: true, Processes: 4, Deaths: 2, Requests: 99, Replayed: 3, InFlight: 1, LongestUSec: 17}},
		containers: []Container{
			{ID: "a7", Name: "web", Runtime: "lxc", Kind: "system", Cgroup: "/lxc.payload.web", InitPID: 1000, StartedAt: time.UnixMicro(1700000005000000)},
			{ID: "a8", Name: "db.service", Runtime: "systemd", Kind: "unit", Unit: "db.service", Cgroup: "/system.slice/db.service", StartedAt: time.UnixMicro(1700000006000000)},
			{ID: "a9", ClaimedName: "podman/0123", Kind: "application", Unit: "user@1000.service", Cgroup: "/user.slice/x", InitPID: 1001, StartedAt: time.UnixMicro(1700000007000000)},
		},
	}
}

func (f *fake) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *fake) Connections() []Connection {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.connections)
}

func (f *fake) Containers() []Container {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.containers)
}

func usageOf(id string) Usage {
	return Usage{
		MemoryLimit: NoLimit, MemoryTotal: 4096 * uint64(len(id)), MemoryFree: 2, MemoryAvailable: 3, SwapTotal: 4, SwapFree: 5,
		CPUs: "0-3", CPUQuotaPerSecUSec: 1500000, CPUUsageUSec: 6, LoadAverage: [3]float64{0.5, 0.25, 1}, Threads: 7, UptimeUSec: 8, Reads: 9,
	}
}

func (f *fake) Usage(id string) (Usage, error) {
	f.mu.Lock()
	block := f.block
	f.mu.Unlock()
	if block != nil {
		<-block
	}
	if !slices.ContainsFunc(f.Containers(), func(c Container) bool { return c.ID == id }) {
		return Usage{}, fmt.Errorf("%w: %s", ErrNoSuchContainer, id)
	}
	return usageOf(id), nil
}

func (f *fake) ContainerOf(pid uint32) (Container, error) {
	switch pid {
	case 1:
		return Container{}, fmt.Errorf("%w: process 1 sees the host", ErrNoSuchContainer)
	case 1000, 1001:
		return f.Containers()[0], nil
	}
	return Container{}, fmt.Errorf("%w: %d", ErrNoSuchProcess, pid)
}

func (f *fake) Show(pid uint32, file, connection string) ([]byte, error) {
	if connection != "" && connection != "1" {
		return nil, fmt.Errorf("%w: %q", ErrNoSuchConnection, connection)
	}
	return fmt.Appendf(nil, "%d reads %s\n", pid, file), nil
}

func (f *fake) ShowContainer(id, file, connection string) ([]byte, error) {
	return fmt.Appendf(nil, "%s reads %s\n", id, file), nil
}

func (f *fake) Explain(pid uint32, file, connection string) (Explanation, error) {
	c, err := f.ContainerOf(pid)
	if pid == 1 {
		return Explanation{Reason: "root cgroup or init.scope", Detail: "/"}, nil
	}
	return Explanation{Reason: "init", Detail: "1000", Container: &c, Sources: []Source{{"memory limit", "max", "/", "/sys/fs/cgroup/memory.max", file}}}, err
}

func (f *fake) CheckFiles() (FilesCheck, error) {
	return FilesCheck{Files: 70, Faults: []FileFault{{"1", "/proc/meminfo", 262144, "READ of 262144 bytes at 0: input/output error"}}}, nil
}

func (f *fake) Stored() map[string]int {
	if f.panics {
		panic("oops")
	}
	return map[string]int{"fuse-1": 7}
}

// act notes what was asked for, and does it unless all fails.
func (f *fake) act(what string, do func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	f.acted = append(f.acted, what)
	do()
	return nil
}

func (f *fake) Reload() error { return f.act("reload", func() {}) }

func (f *fake) Reexecute() error {
	return f.act("reexecute", func() { f.status.StartedAt = f.status.StartedAt.Add(time.Second) })
}

func (f *fake) Virtualize(on bool) error {
	return f.act(fmt.Sprint("virtualize ", on), func() { f.status.Virtualization = on })
}

func (f *fake) SetLogLevel(level string) error {
	return f.act("log "+level, func() { f.status.LogLevel = level })
}

func (f *fake) Access() Access {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.access
}

func (f *fake) actions() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.acted)
}
