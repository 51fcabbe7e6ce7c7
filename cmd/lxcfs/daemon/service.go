package daemon

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/session"
	"linuxcontainers.org/lxcfs/cmd/visible"
	"linuxcontainers.org/lxcfs/units/fdstore"
)

const (
	// firstWait is how long a service waits for its first connection. It is
	// shorter than the unit's TimeoutStartSec=, so that the sentence is ours.
	firstWait = 40 * time.Second
	// idleWait is how long a service that lost its last connection waits for
	// another: a mount that is restarted comes back at once.
	idleWait = 2 * time.Second
	// stopWait bounds the wait for requests under way at the end of a service.
	stopWait = 3 * time.Second
)

var (
	// errNoConnection ends a service that nobody gave a mount to.
	errNoConnection = process.Hopeless(errors.New("no mount came: see var-lib-lxcfs.mount"))
	// errMissed ends one whose mount helper was gone before it was heard: the
	// manager had ended it, for when it began nobody needed the mount. The
	// service's next start pulls in the mount again.
	errMissed = error(process.StatusError{Status: process.ExitAgain, Err: errors.New("the mount that came was given up: starting anew to ask for it again")})
)

// service is lxcfs under a service manager: it mounts nothing, takes mounts
// from a socket, and leaves them in the manager's store for its successor.
type service struct {
	*server
	client   *fdstore.Client
	listener int
	signals  chan os.Signal
	stop     context.CancelFunc
	ready    bool // READY=1 is said; only run's goroutine
	last     idSource
	taking   sync.RWMutex           // held for reading while a mount is taken
	said     atomic.Pointer[string] // the last STATUS=
	missed   atomic.Bool            // a helper did not wait
	refused  atomic.Pointer[error]  // why the mount that it was started for won't come
	loaded   atomic.Pointer[loaded] // by the last reload
	changed  chan struct{}          // holds an element when run is to look
}

// Service serves until it is told to stop or its last connection is gone. Why it
// fails is its last status line.
func Service(c Config) (err error) {
	s, inv, err := newService(c)
	if s != nil {
		defer func() { lastWords(s.client, err) }()
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.stop = cancel
	s.restore(ctx, inv)
	go s.handleSignals()
	go s.watch(ctx)
	s.goOnBus(ctx)
	return s.run(ctx)
}

// newService makes a service of what the manager passed on.
func newService(c Config) (*service, inventory, error) {
	client, err := fdstore.New(process.StoreLimit)
	if err != nil {
		return nil, inventory{}, process.Usage("--service is for a unit of Type=notify: %w", err)
	}
	s := &service{client: client, signals: make(chan os.Signal, 8), changed: make(chan struct{}, 1)}
	// Caught before READY=1: the manager may send any of them from then on.
	signal.Notify(s.signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2)
	signal.Ignore(unix.SIGPIPE)
	files, err := process.Inherited()
	if err != nil {
		c.Log.Error("descriptors that were passed on", "error", err)
	}
	inv := takeInventory(files)
	s.listener = inv.listener
	s.server, err = newServer(c, newDescriptors(client, inv))
	return s, inv, err
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
		s.refused.Store(&err)
	}
	for id, p := range inv.connections {
		s.last.seen(id)
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

// run is the life of the service.
func (s *service) run(ctx context.Context) error {
	defer s.background(ctx)()
	idle := time.NewTimer(firstWait)
	defer idle.Stop()
	finish := s.attend(ctx)
	for {
		switch {
		case s.count() > 0:
			s.sayReady()
			idle.Stop()
		case s.ready:
			idle.Reset(idleWait)
		case s.refused.Load() != nil:
			idle.Reset(0)
		case s.missed.Load():
			idle.Reset(idleWait)
		}
		select {
		case <-ctx.Done():
			s.settle()
			return nil
		case e := <-s.done:
			s.remove(e)
		case <-s.changed:
		case <-idle.C:
			// A helper that is at hand now is heard before the end; one
			// that comes later starts the next service.
			finish()
			if s.count() == 0 {
				return s.idled()
			}
			finish = s.attend(ctx)
		}
		s.sayStatus()
	}
}

// idled ends a service that has nothing to serve.
func (s *service) idled() error {
	switch {
	case s.ready:
		s.log.Info("stopping: nothing is mounted any more")
		return nil
	case s.refused.Load() != nil:
		return *s.refused.Load()
	case s.missed.Load():
		return errMissed
	}
	return errNoConnection
}

// lastWords leaves the reason of a failure with the service manager, or the keeper.
func lastWords(client *fdstore.Client, err error) {
	if err != nil {
		_ = client.Notify("STATUS=" + visible.Text(err.Error())) // and stderr has it
	}
}

// sayReady tells the manager once that readers are served.
func (s *service) sayReady() {
	if s.ready {
		return
	}
	s.ready = true
	s.store.notify(s.log, "READY=1", "STATUS="+s.status())
}

// handleSignals acts on signals until one says stop.
func (s *service) handleSignals() {
	for sig := range s.signals {
		switch sig {
		case unix.SIGHUP:
			s.reload()
		case unix.SIGUSR1:
			s.takeOver()
		case unix.SIGUSR2:
			s.toggle()
		default:
			s.log.Info("stopping", "signal", sig)
			s.store.notify(s.log, "STOPPING=1")
			s.leave(true)
			s.stop()
			return
		}
	}
}
