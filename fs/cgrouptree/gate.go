package cgrouptree

import (
	"sync"
	"syscall"
)

// maxInFlight is how many writes of one top-level container may be under way: one may
// take the kernel long (memory.reclaim), and a request holds a worker.
const maxInFlight = 16

// gate counts what is under way for each container.
type gate struct {
	mu    sync.Mutex // guards count
	count map[string]int
}

// enter returns EAGAIN when too much is under way; otherwise leave must follow.
func (g *gate) enter(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count == nil {
		g.count = make(map[string]int)
	}
	if g.count[name] >= maxInFlight {
		return syscall.EAGAIN
	}
	g.count[name]++
	return nil
}

func (g *gate) leave(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count[name]--; g.count[name] == 0 {
		delete(g.count, name)
	}
}
