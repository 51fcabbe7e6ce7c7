package main

import (
	"context"
	"fmt"
	"time"

	"linuxcontainers.org/lxcfs/fs/fdstore"
)

// storeLimit is how many descriptors the manager keeps where it does not say
// ($FDSTORE): the unit's FileDescriptorStoreMax=.
const storeLimit = 512

// barrierTimeout bounds the wait for a manager to have taken what it was sent.
const barrierTimeout = 5 * time.Second

// descriptors is the store of the service manager or the keeper. Without
// either, nothing outlives the process and every method succeeds.
type descriptors struct {
	client *fdstore.Client // nil: none
	held   namedFiles      // what was in the store when the process began
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
	if room := d.client.Room(); room < len(files) {
		return fmt.Errorf("%w: %d more fit in, a connection needs %d; raise FileDescriptorStoreMax=",
			fdstore.ErrFull, room, len(files))
	}
	for i, f := range files {
		if _, ok := d.held[f.name]; ok {
			continue
		}
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

// remove takes descriptors out of the store; what can't be removed now is an
// orphan that the next start drops.
func (d *descriptors) remove(files ...stored) {
	if d.client == nil {
		return
	}
	for _, f := range files {
		_ = d.client.Remove(f.name)
	}
}

// drop takes everything of a connection out of the store.
func (d *descriptors) drop(id string) {
	d.remove(stored{name: "fuse-" + id}, stored{name: "origin-" + id}, stored{name: "acct-" + id}, stored{name: "journal-" + id})
}

// notify tells the manager; one that does not listen changes nothing here.
func (d *descriptors) notify(log logger, assignments ...string) {
	if err := d.client.Notify(assignments...); err != nil {
		log.Warn("the service manager was not told", "error", err)
	}
}
