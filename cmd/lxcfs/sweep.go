package main

import (
	"context"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
)

// sweepInterval is half of the time within which all that was kept of a dead
// container is gone: files that are held open, load averages, CPU time.
const sweepInterval = 5 * time.Second

// sweep sweeps until ctx is done.
func (s *server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.sweepOnce()
		}
	}
}

func (s *server) sweepOnce() {
	dead, others := s.machine.resolver.Sweep()
	var cgroups []cgroup.Membership
	for _, c := range append(others, dead...) {
		cgroups = append(cgroups, c.Membership)
	}
	s.machine.host.Release(cgroups)
	for _, c := range dead {
		s.machine.loads.Forget(c.Key)
	}
	for _, conn := range s.connections() {
		conn.use(func() {
			for _, c := range dead {
				conn.gatherer.Forget(c.Key)
			}
		})
	}
}
