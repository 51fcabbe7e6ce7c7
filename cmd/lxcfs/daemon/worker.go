package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

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
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGUSR1, unix.SIGUSR2)
	signal.Ignore(unix.SIGPIPE, unix.SIGHUP)

	srv, err := newServer(c, &descriptors{client: client, held: files})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := srv.add(ctx, onlyID, p, c.origin()); err != nil {
		return err
	}
	srv.catchUp(ctx)
	srv.store.notify(c.Log, "READY=1", "STATUS=serving")
	go srv.handle(signals, cancel, func() error { client.PassKeeperOn(); return process.Reexec(srv.files(), os.Args) })
	go srv.succeed(ctx, client)
	return srv.wait(ctx)
}

// succeed takes the keeper's place when it dies: the worker holds everything
// that a keeper needs, and containers must not lose their files with it.
func (s *server) succeed(ctx context.Context, client *fdstore.Client) {
	if client.KeeperGone(ctx) != nil {
		return
	}
	s.log.Warn("the keeper is gone: taking its place")
	if err := process.Reexec(s.files(), append(os.Args[:1:1], process.RoleArgs("--keeper")...)); err != nil {
		s.log.Error("no keeper any more: the next death of this worker ends the mount", "error", err)
	}
}
