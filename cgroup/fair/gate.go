package fair

import (
	"errors"
	"sync"
	"time"
)

// ErrBusy says that as many requests as an asker may have are under way, and
// have been for so long that another is not worth waiting for.
var ErrBusy = errors.New("too many requests under way")

// Gate lets a bounded number of requests in for each key. A request above it
// waits for its turn as long as those before it move on, and is turned away
// when none of them has for the time of patience, or when the room for those who
// wait is full: who waits holds a slot of the session. The zero value is not
// usable. Safe for concurrent use.
type Gate[K comparable] struct {
	limit    int
	room     int
	patience time.Duration

	mu    sync.Mutex // guards all below
	lanes map[K]*lane
	spare []*lane
}

// lane is the requests of one key.
type lane struct {
	in, waiting int
	moved       time.Time     // when the lane became full, or one of a full lane left
	freed       chan struct{} // closed when one leaves and somebody waits
}

// NewGate returns a gate for limit requests of each key, and room more that wait.
func NewGate[K comparable](limit, room int, patience time.Duration) *Gate[K] {
	return &Gate[K]{limit: limit, room: room, patience: patience, lanes: make(map[K]*lane)}
}

// Enter returns true when a request may go on; Leave must follow then. It
// returns false when it may not.
func (g *Gate[K]) Enter(key K) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lane(key)
	if l.in >= g.limit && l.waiting >= g.room {
		return false
	}
	for l.in >= g.limit {
		left := g.patience - time.Since(l.moved)
		if left <= 0 {
			return false
		}
		g.wait(l, left)
	}
	if l.in++; l.in == g.limit {
		l.moved = time.Now()
	}
	return true
}

// wait gives mu back until a request of l leaves or the time is over. The lane
// stays known meanwhile: somebody waits in it.
func (g *Gate[K]) wait(l *lane, left time.Duration) {
	freed := l.freed
	l.waiting++
	g.mu.Unlock()
	timer := time.NewTimer(left)
	select {
	case <-freed:
	case <-timer.C:
	}
	timer.Stop()
	g.mu.Lock()
	l.waiting--
}

// Leave ends what Enter let in.
func (g *Gate[K]) Leave(key K) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lanes[key]
	if l.in--; l.in == g.limit-1 {
		l.moved = time.Now()
	}
	if l.waiting > 0 {
		close(l.freed)
		l.freed = make(chan struct{})
		return
	}
	if l.in == 0 {
		delete(g.lanes, key)
		g.spare = append(g.spare, l)
	}
}

// lane returns the lane of a key. mu is held.
func (g *Gate[K]) lane(key K) *lane {
	l := g.lanes[key]
	if l != nil {
		return l
	}
	if n := len(g.spare); n > 0 {
		l, g.spare = g.spare[n-1], g.spare[:n-1]
	} else {
		l = &lane{freed: make(chan struct{})}
	}
	g.lanes[key] = l
	return l
}
