package dbusapi

import (
	"errors"
	"time"
)

// Errors of a [Manager], each with an error name of its own on the bus. Wrap them.
var (
	ErrNoSuchProcess    = errors.New("no such process")
	ErrNoSuchContainer  = errors.New("no such container")
	ErrNoSuchConnection = errors.New("no such connection")
	ErrNoSuchFile       = errors.New("no such file")
	ErrInvalid          = errors.New("invalid argument")
)

// NoLimit stands for the absence of a limit.
const NoLimit = ^uint64(0)

// Manager is what the server shows, and what it can ask to act. It knows no
// bus. Any goroutine calls it; what it returns is the caller's.
type Manager interface {
	Status() Status
	Connections() []Connection
	// Containers returns the known containers without their Usage.
	Containers() []Container
	// Usage returns the numbers of a container; ErrNoSuchContainer.
	Usage(containerID string) (Usage, error)
	// ContainerOf returns the container of a process; ErrNoSuchProcess, or
	// ErrNoSuchContainer for one that sees the host's numbers.
	ContainerOf(pid uint32) (Container, error)
	// Show returns what a process reads in a file of a connection ("": the
	// first one).
	Show(pid uint32, file, connection string) ([]byte, error)
	// ShowContainer is Show for a container.
	ShowContainer(containerID, file, connection string) ([]byte, error)
	// Explain says why; file "" is every file.
	Explain(pid uint32, file, connection string) (Explanation, error)
	// CheckFiles has the daemon read all files in all ways of programs, in-process.
	CheckFiles() (FilesCheck, error)
	// Stored returns the descriptors that outlive the process, by name.
	Stored() map[string]int
	// Reload reads the configuration again.
	Reload() error
	// Reexecute executes the installed program soon: the caller gets its answer before.
	Reexecute() error
	// Virtualize switches the containers' own numbers on or off.
	Virtualize(on bool) error
	// SetLogLevel changes what is logged; ErrInvalid.
	SetLogLevel(level string) error
	// Access says who may know of a process, by the rules of /proc.
	Access() Access
}

// The structs that follow are also the properties of objects on the bus: a field is
// the property of its name, a time the one with USec after it. What is tagged
// dbus:"-" is none.

// Status is the daemon as a whole.
type Status struct {
	Version        string      `json:"version"`
	StartedAt      time.Time   `json:"started_at"`
	Restarts       uint32      `json:"restarts"`
	Virtualization bool        `json:"virtualization"`
	Degraded       bool        `json:"degraded"`
	CgroupLayout   string      `json:"cgroup_layout"`
	CgroupReason   string      `json:"cgroup_reason"`
	Features       []string    `json:"features"`
	Files          []FileStats `json:"files" dbus:"-"`
	LatencyBounds  []uint64    `json:"latency_bounds_usec" dbus:"-"` // upper bounds of the classes but the last, microseconds
	Latency        []uint64    `json:"latency" dbus:"-"`             // requests in each class
	LogLevel       string      `json:"log_level" dbus:"-"`
	LogTarget      string      `json:"log_target" dbus:"-"`
}

// FileStats are the counters of one file since the process started.
type FileStats struct {
	Path      string            `json:"path"`
	Requests  uint64            `json:"requests"`
	Errors    uint64            `json:"errors"`
	InFlight  uint64            `json:"in_flight"`
	BusyUSec  uint64            `json:"busy_usec"`
	Fallbacks map[string]uint64 `json:"fallbacks"` // by reason
}

// Connection is a mount that is served.
type Connection struct {
	ID          string `json:"id"`
	Mountpoint  string `json:"mountpoint"`
	Options     string `json:"options"`
	Restored    bool   `json:"restored"`
	Processes   uint32 `json:"processes"`
	Deaths      uint32 `json:"deaths"`
	Requests    uint64 `json:"requests"`
	Replayed    uint64 `json:"replayed"`
	InFlight    uint32 `json:"in_flight"`
	LongestUSec uint64 `json:"longest_usec"`
}

// Container is who a container is.
type Container struct {
	ID      string `json:"id" dbus:"-"` // the last element of its object's path
	Name    string `json:"name"`
	Runtime string `json:"runtime"`
	// ClaimedName is for people to read, see [container.Container.Claimed].
	ClaimedName string    `json:"claimed_name"`
	Kind        string    `json:"kind"`
	Unit        string    `json:"unit"`
	Cgroup      string    `json:"cgroup"`
	InitPID     uint32    `json:"init_pid"`
	StartedAt   time.Time `json:"started_at"`
}

// Usage is what a container's own files show. Sizes are bytes.
type Usage struct {
	MemoryLimit        uint64     `json:"memory_limit"` // NoLimit for none
	MemoryTotal        uint64     `json:"memory_total"`
	MemoryFree         uint64     `json:"memory_free"`
	MemoryAvailable    uint64     `json:"memory_available"`
	SwapTotal          uint64     `json:"swap_total"`
	SwapFree           uint64     `json:"swap_free"`
	CPUs               string     `json:"cpus"`
	CPUQuotaPerSecUSec uint64     `json:"cpu_quota_per_sec_usec"` // NoLimit for none
	CPUUsageUSec       uint64     `json:"cpu_usage_usec"`
	LoadAverage        [3]float64 `json:"load_average"`
	Threads            uint32     `json:"threads"`
	UptimeUSec         uint64     `json:"uptime_usec"`
	Reads              uint64     `json:"reads"`
}

// FilesCheck is what was found when the daemon read its files.
type FilesCheck struct {
	Files  uint64      `json:"files"` // that were read
	Faults []FileFault `json:"faults"`
}

// FileFault is a file that can't be read in blocks of one size.
type FileFault struct {
	Connection string `json:"connection"`
	File       string `json:"file"`
	BlockSize  uint32 `json:"block_size"` // bytes
	Reason     string `json:"reason"`
}

// Explanation says why a process sees what it sees.
type Explanation struct {
	Reason    string     `json:"reason"`
	Detail    string     `json:"detail"`
	Container *Container `json:"container"` // nil: the host's numbers
	Sources   []Source   `json:"sources"`
}

// Source says where a number comes from.
type Source struct {
	Name   string `json:"name"`   // of the number: "memory limit"
	Value  string `json:"value"`  // as the interface file has it, or in words
	Cgroup string `json:"cgroup"` // that has it; "" for none
	File   string `json:"file"`   // path of the interface file; "" for none
	Shown  string `json:"shown"`  // the served files that show it
}
