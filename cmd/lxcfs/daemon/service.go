package daemon

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"linuxcontainers.org/lxcfs/cmd/escape"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/session"
	"linuxcontainers.org/lxcfs/units/fdstore"
	"linuxcontainers.org/lxcfs/units/mount"
)

const (
	// firstWait is how long a service waits for its first connection. It is
	// shorter than the unit's TimeoutStartSec=, so that the sentence is ours.
	firstWait = 40 * time.Second
	// idleWait is how long a service that lost its last connection waits for
	// another: a mount that is restarted comes back at once.
	idleWait = 2 * time.Second
)

var (
	// errNoConnection ends a service that nobody gave a mount to.
	errNoConnection = process.Hopeless(errors.New("no mount came: see var-lib-lxcfs.mount"))
	// errMissed ends one whose mount helper was gone before it was heard: the
	// manager had ended it, for when it began nobody needed the mount. The
	// service's next start pulls in the mount again.
	errMissed = error(process.StatusError{
		Status: process.ExitAgain,
		Err:    errors.New("the mount that came was given up: starting anew to ask for it again"),
	})
)

// service is lxcfs under a service manager: it mounts nothing, takes mounts
// from a socket, and leaves them in the manager's store for its successor.
type service struct {
	*server
	listener int
	said     atomic.Pointer[string] // the last STATUS=

	// Only the run loop's goroutine uses the following.
	ready   bool    // READY=1 is said
	last    uint64  // the highest id of a connection
	missed  bool    // a helper did not wait
	refused error   // why the mount that it was started for won't come
	loaded  *loaded // by the last reload
}

// Service serves until it is told to stop or its last connection is gone. Why it
// fails is its last status line.
func Service(c Config) (err error) {
	client, err := fdstore.New(process.StoreLimit)
	if err != nil {
		return process.Usage("--service is for a unit of Type=notify: %w", err)
	}
	defer func() { lastWords(client, err) }()
	// Caught before READY=1: the manager may send any of them from then on.
	signals := process.CatchSignals()
	files, err := process.Inherited()
	if err != nil {
		c.Log.Error("descriptors that were passed on", "error", err)
	}
	inv := takeInventory(files)
	s := &service{listener: inv.listener}
	if s.server, err = newServer(c, newDescriptors(client, inv)); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := s.mode(ctx)
	s.restore(ctx, inv)
	return s.run(ctx, cancel, signals, m)
}

// mode is what a service does differently.
func (s *service) mode(ctx context.Context) mode {
	m := mode{
		leaving:  func() { s.store.notify(s.log, "RELOADING=1", monotonic()) },
		staying:  s.tellReady,
		hangUp:   func() { _ = s.reload() }, // it has logged why
		stopping: func() { s.store.notify(s.log, "STOPPING=1"); s.leave(true) },
		beside:   []func(context.Context){s.feedWatchdog, s.renewStatus},
		look:     s.look,
		patience: s.patience,
		end:      s.idled,
	}
	if s.listener >= 0 {
		m.passOn = process.Files{mount.SocketName: s.listener}
		m.accept = func(accepting context.Context) { s.attend(ctx, accepting) }
	}
	if s.bus = s.newBus(); s.bus != nil {
		m.beside = append(m.beside, s.bus.Run)
	}
	return m
}

// restore goes on serving what an earlier process served. All connections are
// prepared before the first is served: its readers would take the processors
// that the others wait for.
func (s *service) restore(ctx context.Context, inv inventory) {
	var ready []*connection
	var short []string                  // ids of those that can't be served now
	for _, p := range inv.connections { // one of them has it, for all
		s.crashed = s.crashed || p.served && session.Crashed(p.journal)
	}
	lost := func(err error) {
		s.log.Error("a stored connection can't be served", "error", err)
		s.refused = err
	}
	for id, p := range inv.connections {
		s.last = max(s.last, number(id))
		o, err := loadOrigin(p.origin)
		if err != nil {
			s.log.Error("options of a mount are lost, serving it with those of the configuration", "id", id, "error", err)
		}
		c, err := s.prepare(ctx, id, p, o)
		if err != nil {
			lost(err)
			if short = append(short, id); !process.Passes(err) {
				s.store.drop(id)
			}
			continue
		}
		ready = append(ready, c)
	}
	for _, c := range ready {
		if err := s.start(ctx, c); err != nil {
			lost(err)
		}
	}
	// Who serves nothing ends, and the next process tries again.
	for _, id := range short {
		if s.count() > 0 {
			s.store.drop(id)
		}
	}
	s.catchUp(ctx)
	for _, m := range inv.unusable {
		s.log.Warn("a stored descriptor is dropped", "name", m.name, "reason", m.reason)
		s.store.remove(stored{name: m.name})
	}
}

// patience is how long to wait for a mount; false: for the rest of firstWait.
func (s *service) patience() (time.Duration, bool) {
	switch {
	case s.ready:
		return idleWait, true
	case s.refused != nil:
		return 0, true
	case s.missed:
		return idleWait, true
	}
	return 0, false
}

// idled ends a service that has nothing to serve.
func (s *service) idled() error {
	switch {
	case s.ready:
		s.log.Info("stopping: nothing is mounted any more")
		return nil
	case s.refused != nil:
		return s.refused
	case s.missed:
		return errMissed
	}
	return errNoConnection
}

// tellReady tells the manager that readers are served, or are still.
func (s *service) tellReady() { s.store.notify(s.log, "READY=1", "STATUS="+s.status()) }

// lastWords leaves the reason of a failure with the service manager, or the keeper.
func lastWords(client *fdstore.Client, err error) {
	if err != nil {
		_ = client.Notify("STATUS=" + escape.Text(err.Error())) // and stderr has it
	}
}

// look tells the manager that readers are served, and how many.
func (s *service) look() {
	if s.ready {
		s.sayStatus()
	}
	if s.ready || s.count() == 0 {
		return
	}
	s.ready = true
	s.tellReady()
}
