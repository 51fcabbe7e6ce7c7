package session

import (
	"runtime"
	"time"
)

// demand decides how many workers wait in read(2) for the next request. One worker is
// best as long as it keeps up: of two that wait, the kernel wakes the one that has
// waited longest, so each gets every other request on a CPU that has gone idle, and a
// request costs twice as much. One worker does not keep up when each read(2) finds a
// request that was there before; then one more reads, until a worker waits in vain.
type demand struct {
	readers int           // how many read now, from 1 to most
	most    int           // a bound
	pressed time.Duration // since when no request was waited for; 0: one was
}

const (
	// noWait is the longest read(2) of a request that was there already; to
	// sleep and be woken takes longer.
	noWait = 10 * time.Microsecond
	// pressedFor is how long requests are there before they are asked for until
	// one more worker reads.
	pressedFor = 2 * time.Millisecond
	// inVain is a wait for a request after which one worker less reads.
	inVain = 100 * time.Microsecond
)

// maxReaders is for a machine of so many CPUs: those who ask need some too.
func maxReaders(cpus int) int { return min(max(cpus/2, 1), 8) }

func defaultReaders() int { return maxReaders(runtime.NumCPU()) }

// took is told of a request that was waited for, and of the time now. It returns
// true when readers became more.
func (d *demand) took(waited, now time.Duration) bool {
	switch {
	case waited > inVain:
		d.readers = max(d.readers-1, 1)
		d.pressed = 0
	case waited > noWait:
		d.pressed = 0
	case d.pressed == 0:
		d.pressed = now
	case d.readers < d.most && now-d.pressed >= pressedFor:
		d.readers++
		d.pressed = now
		return true
	}
	return false
}
