package daemon

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/fdstore"
)

// barrierTimeout bounds the wait for a manager to have taken what it was sent.
const barrierTimeout = 5 * time.Second

// descriptors is the store of the service manager or the keeper. Without
// either, nothing outlives the process and every method succeeds.
type descriptors struct {
	client *fdstore.Client // nil: none

	mu   sync.Mutex    // guards held
	held process.Files // what was in the store when the process began
}

// newDescriptors is the store of a manager that passed on these connections.
func newDescriptors(client *fdstore.Client, inv inventory) *descriptors {
	d := &descriptors{client: client, held: make(process.Files)}
	for id, p := range inv.connections {
		for _, name := range p.names(id) {
			kind, _, _ := strings.Cut(name, "-")
			d.held[name] = *p.of(kind)
			client.Adopt(name)
		}
	}
	return d
}

// stored is one descriptor on its way to the store. With poll the manager
// drops it when it hangs up; never for a FUSE connection, whose every request
// would wake the manager.
type stored struct {
	name string
	fd   int
	poll bool
}

// put stores all or none, and waits until the manager has read them.
func (d *descriptors) put(ctx context.Context, files ...stored) error {
	if d.client == nil {
		return nil
	}
	files = d.missing(files)
	if len(files) == 0 {
		return nil
	}
	if room := d.client.Room(); room < len(files) {
		return fmt.Errorf("%w: %d more fit in, a connection needs %d; raise FileDescriptorStoreMax=",
			fdstore.ErrFull, room, len(files))
	}
	for i, f := range files {
		if err := d.client.Store(f.name, f.fd, f.poll); err != nil {
			d.remove(files[:i]...)
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, barrierTimeout)
	defer cancel()
	if err := d.client.Barrier(ctx); err != nil {
		d.remove(files...)
		return err
	}
	return nil
}

// missing returns those that the store does not have. One that it has another of
// by that name is removed first.
func (d *descriptors) missing(files []stored) []stored {
	var missing []stored
	for _, f := range files {
		d.mu.Lock()
		fd, ok := d.held[f.name]
		d.mu.Unlock()
		switch {
		case ok && fd == f.fd:
			continue
		case ok:
			d.remove(f)
		}
		missing = append(missing, f)
	}
	return missing
}

// remove takes descriptors out of the store; what can't be removed now is an
// orphan that the next start drops.
func (d *descriptors) remove(files ...stored) {
	if d.client == nil {
		return
	}
	for _, f := range files {
		_ = d.client.Remove(f.name)
		d.mu.Lock()
		delete(d.held, f.name)
		d.mu.Unlock()
	}
}

// drop takes everything of a connection out of the store.
func (d *descriptors) drop(id string) {
	d.remove(stored{name: "fuse-" + id}, stored{name: "origin-" + id}, stored{name: "acct-" + id}, stored{name: "journal-" + id})
}

// notify tells the manager; one that does not listen changes nothing here.
func (d *descriptors) notify(log logs.Logger, assignments ...string) {
	if err := d.client.Notify(assignments...); err != nil {
		log.Warn("the service manager was not told", "error", err)
	}
}
