package daemon

import (
	"context"
	"errors"
	"fmt"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/fdstore"
)

// Worker serves what the keeper holds: a mounted connection, and what an
// earlier worker stored. It mounts and unmounts nothing.
func Worker(c Config) (err error) {
	client, err := fdstore.New(process.StoreLimit)
	if err != nil {
		return fmt.Errorf("--worker is for the keeper: %w", err)
	}
	defer func() { lastWords(client, err) }()
	files, err := process.InheritedFiles()
	if err != nil {
		return err
	}
	p := partsOf(files, onlyID)
	if p.fuse < 0 {
		return errors.New("--worker is for the keeper: no connection was passed on")
	}
	for name := range files {
		client.Adopt(name)
	}
	signals := process.CatchSignals()
	s, err := newServer(c, &descriptors{client: client, held: files})
	if err != nil {
		return err
	}
	return s.serveOne(c, p, func(ctx context.Context, stop func()) error {
		s.catchUp(ctx)
		s.store.notify(c.Log, "READY=1", "STATUS=serving")
		return s.run(ctx, stop, signals, mode{
			hangUp:     func() {}, // the keeper's
			keeperGone: client.KeeperGone,
			end:        s.failure,
		})
	})
}
