package container

import (
	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/fair"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// Options are the bounds of a [Resolver]. Zero stands for the default.
type Options struct {
	// MaxContainers is how many Containers are remembered; 4096.
	MaxContainers int
	// MaxCallers is how many callers are remembered, and how many of their
	// parents; 4096. A file is held open for each.
	MaxCallers int
	// MaxNested is how many Containers one top-level container may have in it
	// before further ones share their parent's; 64.
	MaxNested int
	// MaxScan is how many processes one decision looks at in cgroup.procs; 512.
	MaxScan int
	// MaxFiles and MaxBytes are how much one decision reads before the caller's own
	// cgroup decides; 1024, and 1 MiB.
	MaxFiles, MaxBytes int
}

// maxResting is of how many top-level containers it is remembered that no init is
// searched for.
const maxResting = 256

// maxText bounds the bytes that are remembered of texts of /proc/PID/cgroup, of
// callers, of Containers, and by themselves: a usual one has 100 to 1500, but a
// process can have 4096 for each hierarchy. textCost is how often one is there: as it
// was read, and parsed.
const (
	maxText         = 16 << 20
	maxUnlinkedText = 4 << 20
	textCost        = 2
)

// attempts is how often a decision is begun again because processes came and
// went under it.
const attempts = 3

// Resolver resolves callers to Containers. It is safe for concurrent use, and no file
// is read under a lock.
type Resolver struct {
	machine machine
	memory  memory
	gate    *fair.Gate[string] // by top-level container
	last    *fair.Gate[string] // the same, for those whom gate turned away
}

// New returns a Resolver that reads through host.FS.
func New(host *cgroup.Host, opts Options) *Resolver {
	for option, fallback := range map[*int]int{&opts.MaxContainers: 4096, &opts.MaxCallers: 4096, &opts.MaxNested: 64,
		&opts.MaxScan: 512, &opts.MaxFiles: 1024, &opts.MaxBytes: 1 << 20} {
		if *option <= 0 {
			*option = fallback
		}
	}
	r := &Resolver{
		gate: fair.NewGate[string](maxResolving, maxWaiting, resolvePatience),
		last: fair.NewGate[string](maxResolving, maxWaiting, resolvePatience),
	}
	r.machine.init(host, opts)
	r.memory.init(opts)
	return r
}

// Resolve says whose numbers the thread tid sees. The error is syscall.ESRCH
// when the caller, or the init of its pid namespace, is gone. It is
// [fair.ErrBusy] or another one when there are too many of its like, or too much
// to look at, for a caller whose cgroup has no answer either; any other error
// means that /proc or the cgroup hierarchies cannot be read.
func (r *Resolver) Resolve(tid uint32) (Decision, error) {
	if tid == 0 {
		return Decision{Reason: ReasonInvisible}, nil
	}
	a, ok := r.remembered(tid)
	if !ok {
		var err error
		if a, err = r.inTurn(tid); err != nil {
			return Decision{}, err
		}
	}
	d := Decision{Reason: a.reason, Detail: a.detail, Top: a.top}
	if a.rec != nil {
		d.Container, d.Top = a.rec.c, a.rec.c.Top
	}
	return d, nil
}

// remembered costs one read of the held /proc/TID/cgroup.
func (r *Resolver) remembered(tid uint32) (answer, bool) {
	c, ok := r.memory.callers.get(tid)
	if !ok {
		return answer{}, false
	}
	rec := c.answer.rec
	if rec != nil && rec.stale.Load() || c.answer.weak && c.version != r.memory.registry.version.Load() {
		return answer{}, false
	}
	if same, _ := r.machine.says(c.file, c.raw); !same {
		return answer{}, false
	}
	if rec != nil && !rec.used.Load() {
		rec.used.Store(true)
	}
	return c.answer, true
}

// Top returns the path of the cgroup by which bounds count for the thread tid; ""
// for one that is gone or not to be seen. Nothing that it reads can block.
func (r *Resolver) Top(tid uint32) string {
	if tid == 0 {
		return ""
	}
	t := &task{pid: tid}
	if c, known := r.memory.callers.get(tid); known && r.machine.readPlace(t, c.file.Append) == nil {
		return t.top
	}
	name := procpid.Dir(tid) + "/cgroup"
	err := r.machine.readPlace(t, func(dst []byte) ([]byte, error) { return r.machine.host.FS.Append(dst, name) })
	if err != nil {
		return ""
	}
	return t.top
}
