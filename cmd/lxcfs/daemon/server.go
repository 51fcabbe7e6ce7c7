package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/config"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/cmd/lxcfs/session"
	"linuxcontainers.org/lxcfs/dbusapi"
	"linuxcontainers.org/lxcfs/fs"
)

// server serves the connections of this process.
type server struct {
	log      logs.Logger
	version  string
	limits   *logs.Limiter
	machine  *machine
	switches *fs.Switches
	store    *descriptors

	// execute executes another program in the place of this one: process.Reexec.
	execute func(process.Files, []string) error

	crashed bool            // the process before this one did; set before it is restored
	bus     *dbusapi.Server // nil: on none

	// What happens, for the run loop; and all that it waits for at its end.
	done        chan ended // connections
	asked       chan func()
	reexecution <-chan time.Time // nil: nobody asked for one
	finished    chan struct{}    // closed at the end of the loop
	running     sync.WaitGroup
	failed      error // of connections; only the loop's goroutine

	mu     sync.Mutex // guards what follows
	conns  map[string]*connection
	past   fileSums // of connections that are gone
	config config.Config
}

// ended says how a connection's service ended; nil when it was unmounted.
type ended struct {
	conn *connection
	err  error
}

func newServer(c Config, store *descriptors) (*server, error) {
	log := c.Log
	m, err := newMachine()
	if err != nil {
		return nil, process.Lasting(err)
	}
	cfg, err := loadConfig("/")
	if err != nil {
		logMistakes(log, err)
	}
	log.SetLevel(cfg.LogLevel)
	log.Info("cgroup hierarchies found", "layout", m.host.Layout, "reason", m.host.Reason)
	return &server{
		log:      log,
		version:  c.Version,
		limits:   logs.NewLimiter(),
		machine:  m,
		switches: new(fs.Switches),
		store:    store,
		execute:  process.Reexec,
		done:     make(chan ended),
		asked:    make(chan func()),
		finished: make(chan struct{}),
		conns:    make(map[string]*connection),
		past:     make(fileSums),
		config:   cfg,
	}, nil
}

// add prepares a connection and starts to serve it. It owns the descriptors from
// the call on.
func (s *server) add(ctx context.Context, id string, p parts, o origin) error {
	c, err := s.prepare(ctx, id, p, o)
	if err != nil {
		return err
	}
	return s.start(ctx, c)
}

// prepare opens a connection and stores a fresh one. It owns the descriptors from
// the call on.
func (s *server) prepare(ctx context.Context, id string, p parts, o origin) (*connection, error) {
	c, err := s.open(id, p, o)
	if err != nil {
		return nil, process.Lasting(fmt.Errorf("connection %s: %w", id, err))
	}
	if err := c.keep(ctx, s.store); err != nil {
		if !c.restored {
			c.close()
			return nil, process.Lasting(fmt.Errorf("connection %s: %w", id, err))
		}
		// Readers wait: served without what the store lacks is better than not.
		s.log.Error("a connection is not stored whole", "id", id, "error", err)
	}
	s.mu.Lock()
	s.conns[id] = c
	s.mu.Unlock()
	s.keepCrash()
	return c, nil
}

// keepCrash has a crash of this process be known to the next one, by the journal
// of one of its connections.
func (s *server) keepCrash() {
	err := debug.SetCrashOutput(nil, debug.CrashOptions{})
	if all := s.connections(); len(all) > 0 {
		all[0].use(func() { err = all[0].session.KeepCrash() })
	}
	if err != nil {
		s.log.Warn("a crash will not be told from a kill", "error", err)
	}
}

// start begins to serve a connection.
func (s *server) start(ctx context.Context, c *connection) error {
	if err := c.begin(); err != nil {
		s.forget(c)
		return err
	}
	s.log.Info("connection served", "id", c.id, "mountpoint", c.origin.Mountpoint, "restored", c.restored)
	s.changed()
	s.running.Go(func() {
		e := ended{c, c.serve(ctx)}
		select {
		case s.done <- e:
		case <-ctx.Done():
		}
	})
	return nil
}

// catchUp waits until what earlier processes owed is answered.
func (s *server) catchUp(ctx context.Context) {
	for _, c := range s.connections() {
		select {
		case <-c.session.CaughtUp():
		case <-ctx.Done():
			return
		}
	}
}

// forget takes a connection out of the table and out of the store.
func (s *server) forget(c *connection) {
	s.mu.Lock()
	delete(s.conns, c.id)
	s.past.add(c.tree.Stats())
	s.mu.Unlock()
	s.keepCrash()
	s.store.drop(c.id)
	s.running.Go(c.close) // who uses it may hang, and the loop waits for nobody
	s.changed()
}

// changed tells the bus, if there is one. It never waits.
func (s *server) changed() {
	if s.bus != nil {
		s.bus.Changed()
	}
}

// connections lists what is served.
func (s *server) connections() []*connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.conns))
}

// leave tells all connections that this process is about to end on purpose, or
// will not after all: see session.Session.MarkShutdown.
func (s *server) leave(yes bool) {
	for _, c := range s.connections() {
		c.use(func() { c.session.MarkShutdown(yes) })
	}
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// remove forgets a connection that ended.
func (s *server) remove(e ended) {
	s.forget(e.conn)
	if e.err != nil {
		s.log.Error("connection failed", "id", e.conn.id, "error", e.err)
		s.failed = errors.Join(s.failed, e.err)
		return
	}
	s.log.Info("connection ended: unmounted", "id", e.conn.id)
}

// failure is that of all connections.
func (s *server) failure() error { return s.failed }

// virtualize switches virtualisation off or on, for all connections.
func (s *server) virtualize(on bool) {
	s.switches.HostOnly.Store(!on)
	s.log.Warn("virtualisation switched", "on", on)
	s.changed()
}

// fallback logs that somebody got the host's file, or none.
func (s *server) fallback(f fs.Fallback) {
	ok, suppressed := s.limits.Allow(f.Top, f.Path, time.Now())
	said := "served the host's file"
	if f.Refused {
		said = "refused a file"
	}
	if ok {
		s.log.Warn(said, "file", f.Path, "caller", f.TID, "container", f.Top, "reason", f.Err, "suppressed", suppressed)
	}
}

// sumUp logs what was left out, in each period, until ctx is done.
func (s *server) sumUp(ctx context.Context) {
	repeat(ctx, logs.Period, func() { s.limits.LogLeftOut(s.log, time.Now()) })
}

// sessionEvent logs what a session reports.
func (s *server) sessionEvent(id string) func(session.Event) {
	return func(e session.Event) {
		ok, suppressed := s.limits.Allow("", fmt.Sprint("session ", e.Kind), time.Now())
		if ok {
			s.log.Warn("session", "id", id, "event", e, "suppressed", suppressed)
		}
	}
}
