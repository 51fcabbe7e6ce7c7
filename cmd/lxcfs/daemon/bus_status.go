package daemon

import (
	"slices"
	"strings"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/logs"
	"linuxcontainers.org/lxcfs/dbusapi"
	"linuxcontainers.org/lxcfs/fs"
)

// Status is what is said of the process as a whole.
func (b *onBus) Status() dbusapi.Status {
	host := b.machine.host
	st := dbusapi.Status{
		Version:        b.version,
		StartedAt:      b.started,
		Virtualization: !b.switches.HostOnly.Load(),
		CgroupLayout:   host.Layout.String(),
		CgroupReason:   host.Reason,
		LogLevel:       b.log.Level().String(),
		LogTarget:      logs.Target(),
	}
	for _, d := range fs.LatencyBounds() {
		st.LatencyBounds = append(st.LatencyBounds, uint64(d.Microseconds()))
	}
	st.Latency = make([]uint64, len(st.LatencyBounds)+1)
	for _, c := range b.connections() {
		c.use(func() {
			s := c.session.Stats()
			st.Restarts = max(st.Restarts, s.Epoch-1)
			st.Degraded = st.Degraded || s.Degraded
		})
	}
	for _, f := range b.fileStats() {
		st.Files = append(st.Files, fileStatsOf(f))
		for i, n := range f.Latency {
			st.Latency[i] += n
		}
	}
	st.Features = features(st.Files)
	return st
}

// fileSums are counters by file.
type fileSums map[string]*fs.FileStats

func (sums fileSums) add(stats []fs.FileStats) {
	for _, f := range stats {
		if sums[f.Path] == nil {
			sums[f.Path] = &fs.FileStats{Path: f.Path}
		}
		sums[f.Path].Add(f)
	}
}

// fileStats adds up what was counted in all connections, those of the past
// included, for counters never go back.
func (s *server) fileStats() []fs.FileStats {
	sums := make(fileSums)
	s.mu.Lock()
	for _, f := range s.past {
		sums.add([]fs.FileStats{*f})
	}
	for _, c := range s.conns {
		sums.add(c.tree.Stats())
	}
	s.mu.Unlock()
	var all []fs.FileStats
	for _, f := range sums {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b fs.FileStats) int { return strings.Compare(a.Path, b.Path) })
	return all
}

func fileStatsOf(f fs.FileStats) dbusapi.FileStats {
	return dbusapi.FileStats{
		Path: f.Path, Requests: f.Requests, Errors: f.Errors, InFlight: uint64(max(f.InFlight, 0)),
		BusyUSec: uint64(f.Busy.Microseconds()), Fallbacks: f.Fallbacks,
	}
}

// features names what not every machine has.
func features(files []dbusapi.FileStats) []string {
	list := []string{"fdstore"}
	for path, feature := range map[string]string{"/proc/pressure/cpu": "pressure", "/proc/swaps": "swap", "/proc/slabinfo": "slabinfo"} {
		if slices.ContainsFunc(files, func(f dbusapi.FileStats) bool { return f.Path == path }) {
			list = append(list, feature)
		}
	}
	slices.Sort(list)
	return list
}

// Connections lists the mounts, the oldest first.
func (b *onBus) Connections() []dbusapi.Connection {
	list := []dbusapi.Connection{}
	for _, c := range b.connections() {
		c.use(func() {
			s := c.session.Stats()
			list = append(list, dbusapi.Connection{
				ID: c.id, Mountpoint: c.origin.Mountpoint, Options: c.origin.Options, Restored: c.restored,
				Processes: s.Epoch, Deaths: s.Deaths, Requests: s.Requests, Replayed: s.Replayed,
				InFlight: uint32(s.Busy), LongestUSec: uint64(s.Longest.Microseconds()),
			})
		})
	}
	slices.SortFunc(list, func(a, b dbusapi.Connection) int {
		if lower(a.ID, b.ID) {
			return -1
		}
		return 1
	})
	return list
}
