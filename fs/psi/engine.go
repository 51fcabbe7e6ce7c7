package psi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
)

// Resolver finds the container of a caller; [container.Resolver] is one.
type Resolver interface {
	Resolve(tid uint32) (container.Decision, error)
}

// Config is what an [Engine] is made of.
type Config struct {
	Host     *cgroup.Host
	Resolver Resolver
	// Clock is CLOCK_BOOTTIME.
	Clock func() time.Duration
	// Notify wakes those who poll an open file that the kernel calls kh.
	Notify func(kh uint64)
	// Keep records the trigger of a handle where it outlives the process, Drop
	// forgets it.
	Keep func(fh uint64, record []byte)
	Drop func(fh uint64)
}

// Bounds of how many triggers there may be; beyond them a write is answered with
// ENOMEM, as when the kernel has no room for one.
const (
	maxTriggers = 256 // of a connection
	maxOfOne    = 16  // of a top-level container, with all in it
)

// trigger is that of one open file. The engine's mu guards it.
type trigger struct {
	Trigger
	fh     uint64
	owner  string // [container.Container.Top]; "": somebody on the host
	source source

	kh     uint64
	notify bool // kh is known, and somebody may be waiting
	window window
	due    time.Duration // when it is read next
	fired  time.Duration // when it fired last
	event  bool          // it fired, and nobody has polled since
	gone   bool          // its cgroup is: nothing will ever come
}

// Engine is the triggers of one connection. Run is called by one goroutine, the
// rest by any.
type Engine struct {
	cfg  Config
	wake chan struct{} // a first trigger, or an earlier one

	mu       sync.Mutex // guards all below
	triggers map[uint64]*trigger
	owned    map[string]int // by owner
}

// New returns an engine without triggers.
func New(cfg Config) *Engine {
	return &Engine{cfg: cfg, wake: make(chan struct{}, 1), triggers: make(map[uint64]*trigger), owned: make(map[string]int)}
}

// Add makes what the thread tid wrote to the pressure file of a resource the
// trigger of the handle fh. Errors are the kernel's: EINVAL, EBUSY if the handle
// has one. again is true if an earlier process may have done it already.
func (e *Engine) Add(fh uint64, tid uint32, resource string, text []byte, again bool) error {
	e.mu.Lock()
	has := e.triggers[fh] != nil
	e.mu.Unlock()
	if has && again {
		return nil
	}
	if has {
		return syscall.EBUSY
	}
	spec, err := Parse(text, Privileged(e.cfg.Host.FS, tid))
	if err != nil {
		return err
	}
	decision, err := e.cfg.Resolver.Resolve(tid)
	if err != nil {
		return fmt.Errorf("resolve caller %d: %w", tid, err)
	}
	t := &trigger{Trigger: spec, fh: fh, source: sourceOf(e.cfg.Host, decision.Container, resource)}
	if decision.Container != nil {
		t.owner = decision.Container.Top
	}
	return e.start(t)
}

// start takes the first reading of a trigger and puts it into the table.
func (e *Engine) start(t *trigger) error {
	pressure, err := t.source.read(e.cfg.Host.FS)
	if err != nil {
		return fmt.Errorf("%w: %w", syscall.EOPNOTSUPP, err)
	}
	total, ok := t.total(pressure)
	if !ok {
		return syscall.EINVAL
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.triggers[t.fh] != nil:
		return syscall.EBUSY
	case len(e.triggers) >= maxTriggers, t.owner != "" && e.owned[t.owner] >= maxOfOne:
		return syscall.ENOMEM
	}
	now := e.cfg.Clock()
	t.window.add(now, total, t.Window)
	t.fired = now - t.Window
	e.insert(t, now)
	e.cfg.Keep(t.fh, t.record())
	return nil
}

// insert puts a trigger into the table. mu is held.
func (e *Engine) insert(t *trigger, now time.Duration) {
	t.due = now + t.Window/updates
	e.triggers[t.fh] = t
	e.owned[t.owner]++
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Remove ends the trigger of a handle, if it has one.
func (e *Engine) Remove(fh uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.triggers[fh]
	if t == nil {
		return
	}
	delete(e.triggers, fh)
	if e.owned[t.owner]--; e.owned[t.owner] == 0 {
		delete(e.owned, t.owner)
	}
	e.cfg.Drop(fh)
}

// Events of poll(2).
const (
	ready = 0x001 | 0x004 | 0x040 | 0x100 // POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM: always, as of any file
	pri   = 0x002                         // POLLPRI
	fail  = 0x008                         // POLLERR
)

// Poll answers poll(2) of a handle: POLLPRI once after each event, and POLLERR
// with it for a handle that has no trigger or whose cgroup is gone. With notify
// somebody waits, who is to be woken by kh.
func (e *Engine) Poll(fh, kh uint64, notify bool) (events uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.triggers[fh]
	if t == nil || t.gone {
		return ready | pri | fail
	}
	if notify && (!t.notify || t.kh != kh) {
		t.kh, t.notify = kh, true
		e.cfg.Keep(fh, t.record())
	}
	if t.event {
		t.event = false
		return ready | pri
	}
	return ready
}

// Ready is what poll(2) says of a file that has nothing to do with pressure.
func (e *Engine) Ready() (events uint32) { return ready }

// Restore takes over a trigger that an earlier process recorded. It fires once:
// what happened in between is not known. A record of nothing is dropped.
func (e *Engine) Restore(fh uint64, record []byte) {
	t := parseRecord(fh, record)
	if t == nil {
		e.cfg.Drop(fh)
		return
	}
	pressure, err := t.source.read(e.cfg.Host.FS)
	total, ok := t.total(pressure)
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Clock()
	t.gone = err != nil || !ok
	t.window.add(now, total, t.Window)
	t.event, t.fired = true, now
	e.insert(t, now)
	e.tell(t)
}

// tell wakes whoever polls a trigger's file. mu is held.
func (e *Engine) tell(t *trigger) {
	if t.notify {
		e.cfg.Notify(t.kh)
	}
}

// grid is what times are rounded up to, so that triggers are read together.
const grid = 25 * time.Millisecond

// Run reads for all triggers until ctx is done.
func (e *Engine) Run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := e.tick()
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		case <-timer.C:
		}
	}
}

// tick reads what is due, each file once, and returns how long nothing will be.
func (e *Engine) tick() time.Duration {
	e.mu.Lock()
	now := e.cfg.Clock()
	due := make(map[source][]uint64)
	for _, t := range e.triggers {
		if t.due <= now+grid/2 && !t.gone {
			due[t.source] = append(due[t.source], t.fh)
		}
	}
	e.mu.Unlock()
	for s, handles := range due {
		pressure, err := s.read(e.cfg.Host.FS)
		e.update(handles, pressure, err)
	}
	return e.pause()
}

// update brings one reading into the triggers of these handles, which may have
// ended meanwhile.
func (e *Engine) update(handles []uint64, pressure cgroup.Pressure, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.cfg.Clock()
	for _, fh := range handles {
		t := e.triggers[fh]
		if t == nil {
			continue
		}
		t.due = now + t.Window/updates
		total, ok := t.total(pressure)
		switch {
		case err == nil && !ok, lost(err):
			t.gone = true
			e.tell(t)
			continue
		case err != nil: // for want of descriptors, say
			continue
		}
		if growth := t.window.add(now, total, t.Window); growth >= t.Threshold && now-t.fired >= t.Window {
			t.event, t.fired = true, now
			e.tell(t)
		}
	}
}

// lost says that a file will not be readable any more: its cgroup was removed,
// or its accounting switched off.
func lost(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, cgroup.ErrFormat)
}

// pause returns the time until the next reading is due.
func (e *Engine) pause() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := time.Duration(-1)
	for _, t := range e.triggers {
		if !t.gone && (next < 0 || t.due < next) {
			next = t.due
		}
	}
	if next < 0 {
		return time.Hour // until one is added
	}
	return max(grid, (next - e.cfg.Clock()).Round(grid))
}
