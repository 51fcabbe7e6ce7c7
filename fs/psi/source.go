package psi

import (
	"fmt"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// source is the kernel's pressure file that a trigger goes by.
type source struct {
	path  string
	dir   string // the cgroup's; "" for the host's
	inode uint64 // of dir
}

// sourceOf returns the file of a container's cgroup; the host's where there is
// none, as in what the container reads.
func sourceOf(h *cgroup.Host, c *container.Container, resource string) source {
	host := source{path: "/proc/pressure/" + resource}
	if c == nil {
		return host
	}
	_, from, err := h.ReadPressure(nil, c.Membership, resource)
	if err != nil {
		return host
	}
	info, err := h.FS.Stat(from.Dir())
	if err != nil {
		return host
	}
	return source{path: from.File(), dir: from.Dir(), inode: info.Inode}
}

// read returns the file as it is now. A cgroup that was removed, or replaced by
// another of its name, is ENODEV.
func (s source) read(fsys hostfile.FS) (cgroup.Pressure, error) {
	if s.dir != "" {
		info, err := fsys.Stat(s.dir)
		if err != nil {
			return cgroup.Pressure{}, err
		}
		if info.Inode != s.inode {
			return cgroup.Pressure{}, fmt.Errorf("%s: %w", s.dir, syscall.ENODEV)
		}
	}
	text, err := fsys.Append(nil, s.path)
	if err != nil {
		return cgroup.Pressure{}, err
	}
	p, err := cgroup.ParsePressure(text)
	if err != nil {
		return p, fmt.Errorf("%s: %w", s.path, err)
	}
	return p, nil
}

// total picks the line of a trigger; false: there is none.
func (t Trigger) total(p cgroup.Pressure) (time.Duration, bool) {
	line, ok := p.Some, p.HasSome
	if t.Full {
		line, ok = p.Full, p.HasFull
	}
	return time.Duration(line.TotalUsec) * time.Microsecond, ok
}

// Privileged says whether a thread has CAP_SYS_RESOURCE, in whatever user
// namespace, which is what the kernel asks (psi_trigger_create). Who cannot be
// seen has not.
func Privileged(fsys hostfile.FS, tid uint32) bool {
	const sysResource = 24 // CAP_SYS_RESOURCE
	caps, err := procpid.Read(fsys, tid, "status", func(status []byte) (uint64, error) {
		return procpid.Status(status).Line("CapEff").Mask()
	})
	return err == nil && caps>>sysResource&1 == 1
}
