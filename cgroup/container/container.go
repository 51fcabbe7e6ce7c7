package container

import (
	"sync/atomic"

	"linuxcontainers.org/lxcfs/cgroup"
)

// Kind says what sort of thing a Container is; the CPU policy "auto" goes by it.
// A name that could be forged counts here: whoever forges it changes nobody's
// view but his own, and that from one of his true limits (the cpuset) to another
// (the quota).
type Kind uint8

// The kinds.
const (
	System      Kind = iota + 1 // a machine of its own: LXC, nspawn, any pid namespace of unknown make
	Application                 // what an OCI runtime made for one application, or its cgroup's name says so
	Unit                        // a plain systemd service or scope
)

// String returns "system", "application" or "unit".
func (k Kind) String() string {
	switch k {
	case System:
		return "system"
	case Application:
		return "application"
	case Unit:
		return "unit"
	}
	return "unknown"
}

// Key tells a Container from every other one, those of the past included.
type Key struct {
	// Inode is that of the directory of CgroupPath (or, where the owner shut it
	// off, of the nearest directory above that can be seen).
	Inode uint64
	// StartTicks is that of the init; 0 for a Container without one.
	StartTicks uint64
}

// Container is whose numbers a caller sees. It is immutable, but for the count
// of its reads.
type Container struct {
	Key  Key
	Kind Kind
	// Runtime is "lxc", "nspawn", "docker", "podman", "containerd", "cri-o",
	// "systemd" for a unit, or "" when unknown or not to be trusted.
	Runtime string
	// Name is the runtime's name or id of the container, or the unit's name; ""
	// when Runtime is.
	Name string
	// Claimed is what the cgroup's name says where it is not to be believed,
	// "podman/ID": with rootless Podman, or in another container. It is for
	// people to read; nothing may be found by it. "" where Runtime is known.
	Claimed string
	// Unit is the systemd unit that CgroupPath is in; the zero Unit for none.
	Unit cgroup.Unit
	// InitPID is the init's pid on the host; 0 for a unit, and for a runtime's
	// container in a pid namespace that is not its own.
	InitPID uint32
	// StartTicks is when the init started, in USER_HZ since boot (field 22 of
	// /proc/PID/stat); without an init, the oldest process at first sight.
	StartTicks uint64
	// CgroupPath is the path in the identity hierarchy ([cgroup.Host.Identity]),
	// without a trailing /init.scope.
	CgroupPath string
	// Membership is that of the init, without a trailing /init.scope in any
	// hierarchy; without an init, that of the oldest process cut to CgroupPath.
	Membership cgroup.Membership
	// Top is the cgroup of the top-level container that this one is or is in; see
	// [Resolver.Top]. Whatever is bounded is bounded for each of these.
	Top string
	// PIDDepth is the depth of the init's pid namespace below that of /proc,
	// which is 1; without an init, 1.
	PIDDepth int
	reads    atomic.Uint64
}

// CountRead counts a rendering for the Container.
func (c *Container) CountRead() { c.reads.Add(1) }

// Reads returns how many renderings were counted since the Container was found
// by this process.
func (c *Container) Reads() uint64 { return c.reads.Load() }
