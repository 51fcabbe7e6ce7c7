package psi

import "time"

// updates is how often a total is read within one window, as in the kernel.
const updates = 10

// window is the stall time of one trigger within its sliding window: the totals
// of the last readings.
type window struct {
	samples [updates + 2]sample // a ring
	next    int                 // where the next one goes
	count   int
}

type sample struct {
	at    time.Duration // since boot
	total time.Duration // stalled since the cgroup's start
}

// add takes a reading and returns by how much the total grew within the last
// size of time. If readings came late, it is the growth at the average rate.
func (w *window) add(at, total, size time.Duration) time.Duration {
	w.samples[w.next] = sample{at, total}
	w.next = (w.next + 1) % len(w.samples)
	w.count = min(w.count+1, len(w.samples))
	base := w.base(at - size)
	elapsed, growth := at-base.at, total-base.total
	if growth <= 0 {
		return 0
	}
	if elapsed > size {
		return time.Duration(float64(growth) * float64(size) / float64(elapsed))
	}
	return growth
}

// base returns the latest sample that is not after start, else the oldest.
func (w *window) base(start time.Duration) sample {
	for back := 1; back <= w.count; back++ {
		s := w.samples[(w.next-back+len(w.samples))%len(w.samples)]
		if s.at <= start || back == w.count {
			return s
		}
	}
	return sample{}
}
