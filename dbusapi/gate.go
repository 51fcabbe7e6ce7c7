package dbusapi

// Calls that are handled at a time, and that may wait for it.
const (
	maxCalls   = 8
	maxWaiting = 512
)

// gate bounds what callers can make the daemon do at once.
type gate struct {
	inside chan struct{} // one element for each call that is handled
	queue  chan struct{} // one for each that is handled or waits
}

func newGate() *gate {
	return &gate{inside: make(chan struct{}, maxCalls), queue: make(chan struct{}, maxCalls+maxWaiting)}
}

// enter waits for a place; false means that too many wait already.
func (g *gate) enter() bool {
	select {
	case g.queue <- struct{}{}:
	default:
		return false
	}
	g.inside <- struct{}{}
	return true
}

func (g *gate) leave() {
	<-g.inside
	<-g.queue
}

// outside gives the place inside to others while f waits for somebody.
func (g *gate) outside(f func()) {
	<-g.inside
	f()
	g.inside <- struct{}{}
}
