package container

import (
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/share"
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

// maxResting is of how many top-level containers it is remembered that they rest.
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

// Resolver resolves callers to Containers. It is safe for concurrent use: mu
// guards the maps, and no file is read under it.
type Resolver struct {
	host    *cgroup.Host
	opts    Options
	buffers sync.Pool           // of *[]byte
	gate    *share.Gate[string] // by top-level container
	last    *share.Gate[string] // the same, for those whom gate turned away

	mu           sync.Mutex
	callers      ring[uint32, *caller]
	knownParents ring[uint32, *knownParent] // by pid
	lines        ring[string, line]         // by content
	records      ring[ident, *record]
	resting      ring[string, time.Time] // until when, by top-level container
	byInit       map[uint32]*record      // init pid
	byCgroup     map[uint64]*record      // inode of a unit's or scope's cgroup
	alone        map[string]int          // records that are in no other, by their Top
	version      uint64                  // counts the records ever published
	parentSeq    uint64                  // counts the parents ever remembered
	unlinked     []*record               // since the last Sweep
	unlinkedText int                     // what their texts cost
	crowded      chan struct{}           // see Crowded
}

// caller is a remembered decision. It is immutable. It counts while the task is
// the same and in the same cgroups.
type caller struct {
	heldTask
	raw     string // content of the task's file
	verdict verdict
	version uint64 // Resolver.version when decided
}

// verdict is a Decision before it is given out.
type verdict struct {
	rec    *record // nil: the host's content
	reason Reason
	detail string
	top    string // the caller's own, see Resolver.top
	// weak: for want of something better; a container that becomes known later
	// may be better.
	weak bool
	// passing: for want of time; to be decided anew at the next question.
	passing bool
}

// New returns a Resolver that reads through host.FS.
func New(host *cgroup.Host, opts Options) *Resolver {
	for _, o := range []struct {
		value    *int
		fallback int
	}{{&opts.MaxContainers, 4096}, {&opts.MaxCallers, 4096}, {&opts.MaxNested, 64}, {&opts.MaxScan, 512},
		{&opts.MaxFiles, 1024}, {&opts.MaxBytes, 1 << 20}} {
		if *o.value <= 0 {
			*o.value = o.fallback
		}
	}
	r := &Resolver{
		host:     host,
		opts:     opts,
		byInit:   make(map[uint32]*record),
		byCgroup: make(map[uint64]*record),
		alone:    make(map[string]int),
		crowded:  make(chan struct{}, 1),
		gate:     share.NewGate[string](maxResolving, maxWaiting, resolvePatience),
		last:     share.NewGate[string](maxResolving, maxWaiting, resolvePatience),
	}
	r.buffers.New = func() any { b := make([]byte, 0, 4096); return &b }
	r.callers.limit, r.knownParents.limit, r.lines.limit = opts.MaxCallers, opts.MaxCallers, opts.MaxContainers
	r.callers.dropped = func(c *caller) { c.file.Close() }
	r.knownParents.dropped = func(k *knownParent) { k.file.Close() }
	r.callers.cost, r.callers.room = func(c *caller) int { return textCost * len(c.raw) }, maxText
	r.lines.cost, r.lines.room = func(l line) int { return textCost * len(l.raw) }, maxText/2
	r.records.cost, r.records.room = (*record).text, maxText
	r.resting.limit = maxResting
	r.records.limit = opts.MaxContainers
	r.records.busy = func(rec *record) bool { return rec.nested > 0 || rec.used.Swap(false) }
	r.records.dropped = r.unlink
	return r
}

func (r *Resolver) buffer() *[]byte   { return r.buffers.Get().(*[]byte) }
func (r *Resolver) release(b *[]byte) { r.buffers.Put(b) }

// Resolve says whose numbers the thread tid sees. The error is syscall.ESRCH
// when the caller, or the init of its pid namespace, is gone. It is
// [share.ErrBusy] or another one when there are too many of its like, or too much
// to look at, for a caller whose cgroup has no answer either; any other error
// means that /proc or the cgroup hierarchies cannot be read.
func (r *Resolver) Resolve(tid uint32) (Decision, error) {
	if tid == 0 {
		return Decision{Reason: ReasonInvisible}, nil
	}
	v, ok := r.remembered(tid)
	if !ok {
		var err error
		if v, err = r.inTurn(tid); err != nil {
			return Decision{}, err
		}
	}
	d := Decision{Reason: v.reason, Detail: v.detail, Top: v.top}
	if v.rec != nil {
		d.Container, d.Top = v.rec.c, v.rec.c.Top
	}
	return d, nil
}

// remembered costs one read of the held /proc/TID/cgroup.
func (r *Resolver) remembered(tid uint32) (verdict, bool) {
	r.mu.Lock()
	c, ok := r.callers.get(tid)
	version := r.version
	r.mu.Unlock()
	if !ok || !r.current(c, version) {
		return verdict{}, false
	}
	if c.verdict.rec != nil && !c.verdict.rec.used.Load() {
		c.verdict.rec.used.Store(true)
	}
	return c.verdict, true
}

// current: c is still about the task with that tid, and the decision stands.
func (r *Resolver) current(c *caller, version uint64) bool {
	if rec := c.verdict.rec; rec != nil && rec.stale.Load() {
		return false
	}
	if c.verdict.weak && c.version != version {
		return false
	}
	return r.says(c.file, c.raw)
}

// says: the task that the file is of lives, and the file's content is raw.
func (r *Resolver) says(file hostfile.File, raw string) bool {
	buf := r.buffer()
	defer r.release(buf)
	var err error
	*buf, err = file.Append((*buf)[:0])
	return err == nil && string(*buf) == raw
}

func (r *Resolver) resolve(tid uint32, file hostfile.File, last bool) (verdict, error) {
	r.mu.Lock()
	version, parentSeq := r.version, r.parentSeq
	r.mu.Unlock()
	q := r.inquire()
	q.last = last
	t, err := q.readCaller(tid, file, parentSeq)
	if err != nil {
		return verdict{}, gone("caller", tid, err)
	}
	v, err := q.decide(t)
	v.top = t.top
	if err == nil && t.walked {
		if err = t.lives(r); err != nil {
			err = gone("caller", tid, err)
		}
	}
	if err != nil || v.passing {
		return v, err
	}
	c := &caller{heldTask: heldTask{file: t.file}, raw: t.raw, verdict: v, version: version}
	r.mu.Lock()
	r.callers.put(tid, c)
	r.mu.Unlock()
	return v, nil
}

// Containers returns the known Containers that still exist, in no order.
func (r *Resolver) Containers() []*Container {
	r.bury(all)
	var all []*Container
	for _, rec := range r.snapshot() {
		all = append(all, rec.c)
	}
	return all
}
