package daemon

import (
	"context"
	"slices"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
)

// sweepInterval is half of the time within which all that was kept of a dead
// container is gone: files that are held open, load averages, CPU time.
const sweepInterval = 5 * time.Second

// sweep sweeps until ctx is done, at once where many containers come and go.
func (s *server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	var released []cgroup.Membership
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.machine.resolver.Crowded():
		}
		released = s.sweepOnce(released)
	}
}

// sweepOnce returns the cgroups whose files were closed; again are those of the
// time before, of which a request or a count of threads that was under way may
// have opened some anew.
func (s *server) sweepOnce(again []cgroup.Membership) (released []cgroup.Membership) {
	dead, others := s.machine.resolver.Sweep()
	for _, c := range slices.Concat(dead, others) {
		released = append(released, c.Membership)
	}
	for _, c := range dead {
		s.machine.loads.Forget(c.Key)
	}
	for _, conn := range s.connections() {
		conn.use(func() {
			for _, c := range dead {
				conn.gatherer.Forget(c.Key)
			}
			if err := conn.session.Trim(); err != nil {
				s.log.Warn("memory is not given back", "id", conn.id, "error", err)
			}
		})
	}
	s.machine.host.Release(slices.Concat(again, released))
	return released
}
