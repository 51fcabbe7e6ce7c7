package daemon

import (
	"context"
	"fmt"
	"time"

	"linuxcontainers.org/lxcfs/units/fdstore"
)

// statusInterval is how often the status line is renewed at least.
const statusInterval = 10 * time.Second

// feedWatchdog feeds the manager's watchdog as long as requests are answered. It
// waits for nothing else: renewing the status line may take as long as there are
// containers to look at.
func (s *service) feedWatchdog(ctx context.Context) {
	timeout, err := fdstore.Watchdog()
	if err != nil {
		s.log.Error("no watchdog", "error", err)
	}
	if timeout <= 0 {
		return
	}
	feed := func() {
		if s.healthy(timeout / 2) {
			s.store.notify(s.log, "WATCHDOG=1")
		}
	}
	feed()
	repeat(ctx, min(statusInterval, timeout/3), feed)
}

// renewStatus renews the status line.
func (s *service) renewStatus(ctx context.Context) { repeat(ctx, statusInterval, s.sayStatus) }

// repeat calls f at each interval until ctx is done.
func repeat(ctx context.Context, interval time.Duration, f func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f()
		}
	}
}

// healthy says whether each connection answers requests. It renders one inside
// the process: a read of our own mount could wait for ourselves.
func (s *server) healthy(limit time.Duration) bool {
	for _, c := range s.connections() {
		var err error
		c.use(func() { err = c.session.SelfCheck(limit) })
		if err != nil {
			s.log.Error("self-check", "id", c.id, "error", err)
			return false
		}
	}
	return true
}

// status is one line about what is served.
//
//	Serving 2 connections to 14 containers; 3 restarts, 1 death
func (s *server) status() string {
	conns := s.connections()
	var restarts, deaths uint32
	for _, c := range conns {
		c.use(func() {
			st := c.session.Stats()
			restarts, deaths = max(restarts, st.Epoch-1), max(deaths, st.Deaths)
		})
	}
	return fmt.Sprintf("Serving %s to %s; %s, %s",
		counted(len(conns), "connection"), counted(len(s.machine.resolver.Containers()), "container"),
		counted(int(restarts), "restart"), counted(int(deaths), "death"))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// sayStatus tells the manager the status line when it has changed.
func (s *service) sayStatus() {
	line := s.status()
	if old := s.said.Swap(&line); old != nil && *old == line {
		return
	}
	s.store.notify(s.log, "STATUS="+line)
}
