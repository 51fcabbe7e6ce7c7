package fdstore

import (
	"syscall"
	"time"
)

// The rules of the back-off. Restarting is at once as long as it can help: a
// reader waits meanwhile.
const (
	youngAge    = time.Second           // a worker that lived less died young
	youngDeaths = 5                     // that many in a row before the first delay
	minDelay    = 10 * time.Millisecond // doubled by each further young death
	maxDelay    = 5 * time.Second
)

// backoff counts deaths at a young age, in a row.
type backoff struct {
	deaths int
}

// next takes the death of a worker, or a start that did not come off, and
// returns how long to wait before the next start.
func (b *backoff) next(young bool) time.Duration {
	if !young {
		b.deaths = 0
		return 0
	}
	b.deaths++
	if b.deaths < youngDeaths {
		return 0
	}
	doubled := min(b.deaths-youngDeaths, 10) // 10 ms << 10 is above maxDelay
	return min(minDelay<<doubled, maxDelay)
}

// diedYoung judges a death. A worker that got SIGKILL did not die of itself,
// however young: somebody tests restarts, or wants memory. A delay would only
// keep readers waiting.
func diedYoung(lived time.Duration, status syscall.WaitStatus) bool {
	killed := status.Signaled() && status.Signal() == syscall.SIGKILL
	return lived < youngAge && !killed
}
