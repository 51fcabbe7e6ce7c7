package daemon

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/config"
	"linuxcontainers.org/lxcfs/dbusapi"
	"linuxcontainers.org/lxcfs/fs"
)

// reexecDelay leaves the answer to the caller of Reexecute the time to get out.
const reexecDelay = 100 * time.Millisecond

// onBus shows a service to the bus. It asks the same objects that answer
// readers, and none of those knows of it.
type onBus struct {
	*service
	started time.Time
	// known are the containers as last listed, by their ids.
	known    atomic.Pointer[map[string]*container.Container]
	checking sync.Mutex // held while files are checked
}

var _ dbusapi.Manager = (*onBus)(nil)

// newBus returns what puts the service on the bus, whenever there is one; nil if
// nothing does.
func (s *service) newBus() *dbusapi.Server {
	b := &onBus{service: s, started: time.Now()}
	bus, err := dbusapi.NewServer(b, dbusapi.Config{Report: b.report})
	if err != nil {
		s.log.Error("not on the message bus", "error", err)
	}
	return bus
}

// report logs the comings and goings of the bus.
func (b *onBus) report(err error) {
	if err != nil {
		b.log.Info("not on the message bus for now", "reason", err)
		return
	}
	b.log.Info("on the message bus", "name", dbusapi.BusName)
}

// Access reads the mount options of /proc anew: they can be changed.
func (b *onBus) Access() dbusapi.Access { return dbusapi.ReadAccess(hostfile.OS{}) }

// Reload reads the configuration again.
func (b *onBus) Reload() error { return b.do(b.reload) }

// Reexecute executes the installed program when the caller has its answer.
func (b *onBus) Reexecute() error {
	return b.do(func() error { b.reexecution = time.After(reexecDelay); return nil })
}

// Virtualize switches virtualisation off or on.
func (b *onBus) Virtualize(on bool) error {
	return b.do(func() error { b.virtualize(on); return nil })
}

// SetLogLevel changes what is logged.
func (b *onBus) SetLogLevel(text string) error {
	level, err := config.ParseLogLevel(text)
	if err != nil {
		return fmt.Errorf("%w: %w", dbusapi.ErrInvalid, err)
	}
	b.log.ForceLevel(level)
	return nil
}

// Stored returns the descriptors of all connections.
func (b *onBus) Stored() map[string]int { return b.files() }

// use picks a connection, the one with the lowest id for "", and lets f use it.
func (b *onBus) use(id string, f func(*connection) error) error {
	var picked *connection
	for _, c := range b.connections() {
		if id == c.id || id == "" && (picked == nil || lower(c.id, picked.id)) {
			picked = c
		}
	}
	err := fmt.Errorf("%w: %q", dbusapi.ErrNoSuchConnection, id)
	if picked != nil {
		picked.use(func() { err = f(picked) })
	}
	return err
}

// lower compares ids, which are numbers.
func lower(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

// resolve finds the container of a process.
func (b *onBus) resolve(pid uint32) (container.Decision, error) {
	d, err := b.machine.resolver.Resolve(pid)
	if errors.Is(err, unix.ESRCH) || pid == 0 {
		return d, fmt.Errorf("%w: %d", dbusapi.ErrNoSuchProcess, pid)
	}
	return d, err
}

// Show renders a file as a reader would get it.
func (b *onBus) Show(pid uint32, file, id string) (content []byte, err error) {
	if _, err := b.resolve(pid); err != nil {
		return nil, err
	}
	err = b.use(id, func(c *connection) error {
		content, err = c.tree.Show(file, pid)
		return notServed(err)
	})
	return content, err
}

// ShowContainer renders a file as the container would get it.
func (b *onBus) ShowContainer(containerID, file, id string) (content []byte, err error) {
	k, err := b.find(containerID)
	if err != nil {
		return nil, err
	}
	err = b.use(id, func(c *connection) error {
		if content, err = c.renderer.ShowContainer(file, k); errors.Is(err, iofs.ErrNotExist) && k.InitPID != 0 {
			content, err = c.tree.Show(file, k.InitPID)
		}
		return notServed(err)
	})
	return content, err
}

// notServed tells a file that is not served from other errors.
func notServed(err error) error {
	if errors.Is(err, fs.ErrNotServed) {
		return fmt.Errorf("%w: %w", dbusapi.ErrNoSuchFile, err)
	}
	return err
}
