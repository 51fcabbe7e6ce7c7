package fs

import "sync/atomic"

// fileCounters count what happened to one file since the process started.
type fileCounters struct {
	requests, fallbacks, errors atomic.Uint64
}

// FileStats are the counters of one file since the process started.
type FileStats struct {
	Path      string
	Requests  uint64 // renderings
	Fallbacks uint64 // of these, answered with the host's file after a failure
	Errors    uint64 // of these, failed with EIO: not even the host's file could be read
}

// Stats returns the counters of each served file.
func (r *Renderer) Stats() []FileStats {
	stats := make([]FileStats, len(r.files))
	for i, f := range r.files {
		stats[i] = FileStats{
			Path:      f.Path,
			Requests:  f.counters.requests.Load(),
			Fallbacks: f.counters.fallbacks.Load(),
			Errors:    f.counters.errors.Load(),
		}
	}
	return stats
}
