package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/fs"
	"linuxcontainers.org/lxcfs/fs/session"
	"linuxcontainers.org/lxcfs/fs/view"
)

// server serves the connections of this process.
type server struct {
	log      logger
	limits   *limiter
	machine  *machine
	switches *fs.Switches
	store    *descriptors

	// done receives the end of each connection.
	done chan ended

	mu    sync.Mutex // guards conns
	conns map[string]*connection
}

// ended says how a connection's service ended; nil when it was unmounted.
type ended struct {
	id  string
	err error
}

func newServer(log logger, store *descriptors) (*server, error) {
	m, err := newMachine()
	if err != nil {
		return nil, err
	}
	log.Info("cgroup hierarchies found", "layout", m.host.Layout, "reason", m.host.Reason)
	return &server{
		log:      log,
		limits:   newLimiter(),
		machine:  m,
		switches: new(fs.Switches),
		store:    store,
		done:     make(chan ended),
		conns:    make(map[string]*connection),
	}, nil
}

// add opens a connection, stores a fresh one, and begins to serve it.
func (s *server) add(ctx context.Context, id string, p parts, opts view.Options) error {
	c, err := s.open(id, p, opts)
	if err != nil {
		return fmt.Errorf("connection %s: %w", id, err)
	}
	if !c.restored {
		if err := c.keep(ctx, s.store); err != nil {
			return fmt.Errorf("connection %s: %w", id, err)
		}
	}
	s.mu.Lock()
	s.conns[id] = c
	s.mu.Unlock()
	s.log.Info("connection served", "id", id, "restored", c.restored)
	go func() { s.done <- ended{id, c.serve(ctx)} }()
	return nil
}

// wait returns when the last connection is gone or ctx is done.
func (s *server) wait(ctx context.Context) error {
	go s.machine.loads.Run(ctx)
	var failed error
	for s.count() > 0 {
		select {
		case <-ctx.Done():
			return nil
		case e := <-s.done:
			if ctx.Err() != nil {
				return nil
			}
			s.remove(e)
			failed = errors.Join(failed, e.err)
		}
	}
	return failed
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// remove forgets a connection that ended.
func (s *server) remove(e ended) {
	s.mu.Lock()
	delete(s.conns, e.id)
	s.mu.Unlock()
	s.store.drop(e.id)
	if e.err != nil {
		s.log.Error("connection failed", "id", e.id, "error", e.err)
		return
	}
	s.log.Info("connection ended: unmounted", "id", e.id)
}

// toggle switches virtualisation off or on, for all connections.
func (s *server) toggle() {
	off := !s.switches.HostOnly.Load()
	s.switches.HostOnly.Store(off)
	s.log.Warn("virtualisation switched", "on", !off)
}

// fallback logs that somebody got the host's file.
func (s *server) fallback(f fs.Fallback) {
	ok, suppressed := s.limits.allow(f.Path, time.Now())
	if ok {
		s.log.Warn("served the host's file", "file", f.Path, "caller", f.TID, "reason", f.Err, "suppressed", suppressed)
	}
}

// sessionEvent logs what a session reports.
func (s *server) sessionEvent(id string) func(session.Event) {
	return func(e session.Event) {
		ok, suppressed := s.limits.allow(fmt.Sprint("session ", e.Kind), time.Now())
		if ok {
			s.log.Warn("session", "id", id, "event", e, "suppressed", suppressed)
		}
	}
}
