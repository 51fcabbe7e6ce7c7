package cgrouptree

import (
	"runtime"
	"sync"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/cgroup/fair"
)

// maxInFlight is how many writes of one top-level container may be under way: one may
// take the kernel long (memory.reclaim), and a request holds a worker.
const maxInFlight = 16

// inFlight counts what is under way for each container.
type inFlight struct {
	mu    sync.Mutex // guards count
	count map[string]int
}

// enter returns EAGAIN when too much is under way; otherwise leave must follow.
func (g *inFlight) enter(name string) error {
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

func (g *inFlight) leave(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count[name]--; g.count[name] == 0 {
		delete(g.count, name)
	}
}

// Bounds of the long work of one top-level container: to translate a list of
// processes, to list a directory, to look for a cgroup whose place is not known. How
// long that takes is the container's choice, so one is done at a time, others wait
// while those before them get on, and nobody waits longer than longPatience for one.
const (
	longRoom     = 63
	longPatience = 5 * time.Second
)

func newLongWork() *fair.Gate[string] { return fair.NewGate[string](1, longRoom, longPatience) }

// pieces is work that is done in pieces: others get their turn between two.
type pieces int

// pieceSize is how many processes or names are looked at in one piece, which takes
// less than a millisecond.
const pieceSize = 16

// add counts work that was done.
func (p *pieces) add(n int) {
	if *p += pieces(n); *p >= pieceSize {
		*p = 0
		runtime.Gosched()
	}
}

// long does long work for who is in a scope, in his turn. It returns EAGAIN when
// too much is under way.
func (t *Tree) long(s scope, work func() error) error {
	name := s.bound()
	if !t.longWork.Enter(name) {
		return syscall.EAGAIN
	}
	defer t.longWork.Leave(name)
	return work()
}
