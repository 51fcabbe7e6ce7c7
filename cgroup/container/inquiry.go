package container

import (
	"errors"
	"time"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// memory is what is known from earlier decisions.
type memory struct {
	registry registry
	callers  cache[uint32, *caller]
	parents  parents
	resting  cache[string, time.Time] // until when no init is searched for, by top-level container
}

func (m *memory) init(opts Options) {
	m.registry.init(opts)
	m.callers.ring = ring[uint32, *caller]{limit: opts.MaxCallers, room: maxText, dropped: func(c *caller) { c.file.Close() }}
	m.callers.cost = func(c *caller) int { return textCost * len(c.raw) }
	m.parents.ring = ring[uint32, *knownParent]{limit: opts.MaxCallers, dropped: func(k *knownParent) { k.file.Close() }}
	m.resting.limit = maxResting
}

// inquiry is one decision in the making: it reads the facts, asks the rules, and
// makes known the Container that they point at.
type inquiry struct {
	builder
	memory    *memory
	parentSeq uint64 // parents.seq before anything was read
	last      bool   // it is not begun again when processes change under it
	walked    bool   // other processes were read by their pids
}

func (m *memory) inquire(r *reader) *inquiry {
	return &inquiry{builder: builder{r, &m.registry}, memory: m, parentSeq: m.parents.seq.Load()}
}

// answer is a Decision before it is given out.
type answer struct {
	rec    *record // nil: the host's content
	reason Reason
	detail string
	top    string // the caller's own, see [machine.top]
	// See [verdict].
	weak, passing bool
}

// resolve decides for a caller, whose file is held, and remembers it.
func (q *inquiry) resolve(tid uint32, file hostfile.File) (answer, error) {
	version := q.registry.version.Load()
	t, err := q.readCaller(tid, file)
	if err != nil {
		return answer{}, gone("caller", tid, err)
	}
	a, err := q.answer(t)
	if err == nil && q.walked {
		err = gone("caller", tid, q.lives(file))
	}
	if err == nil && !a.passing {
		q.memory.callers.put(tid, &caller{heldTask: heldTask{file: file}, raw: t.raw, answer: a, version: version})
	}
	return a, err
}

// answer decides for a task.
func (q *inquiry) answer(t *task) (answer, error) {
	f, init, err := q.facts(t)
	if err != nil {
		return answer{}, err
	}
	return q.show(t, init, decide(f))
}

// facts reads what the rules go by, and the init of t's pid namespace.
func (q *inquiry) facts(t *task) (f facts, init *process, err error) {
	f = facts{path: t.path, depth: t.status.depth, blind: t.status.blind, trusted: q.trusts(t.hier)}
	if f.depth <= 1 {
		return f, nil, nil
	}
	how := ReasonInit
	f.init, err = q.walk(t)
	if q.last && errors.Is(err, errChanged) {
		// Its ancestors die faster than they can be looked at, as who forks chains
		// of processes may have them. The next question finds others.
		f.hasty, err = true, nil
	}
	if err == nil && f.init == 0 {
		until, _ := q.memory.resting.get(t.top)
		f.resting = time.Now().Before(until)
		f.init, how, err = q.entered(t, f.resting)
	}
	if err != nil || f.init == 0 {
		return f, nil, err
	}
	if init, err = q.lookAtInit(f.init); err != nil {
		return f, nil, changed(err)
	}
	f.how = how
	f.initPath, _ = pathIn(t.hier, init.member)
	return f, init, nil
}

// show makes known what the verdict on t points at.
func (q *inquiry) show(t *task, init *process, v verdict) (answer, error) {
	a := answer{reason: v.reason, detail: v.detail, top: t.top, weak: v.weak, passing: v.passing}
	var full bool
	var err error
	if v.ofInit {
		a.rec, full, err = q.ofInit(init)
	} else {
		a.rec, full, err = q.ofCgroups(t.place, v.cgroups)
	}
	switch {
	case err != nil:
		return answer{}, changed(err)
	case a.rec == nil && a.reason == ReasonBusy:
		return answer{}, errSpent
	case full && a.reason != ReasonBusy:
		a.reason = ReasonQuota
	}
	if a.detail == "" && a.rec != nil {
		a.detail = a.rec.c.CgroupPath
	}
	a.detail += v.note
	return a, nil
}

// ofInit returns the record of an init, or, when its top-level container is full, that
// of the Container that it was made in.
func (q *inquiry) ofInit(init *process) (rec *record, full bool, err error) {
	if init.rec != nil {
		return init.rec, false, nil
	}
	rec, top, err := q.buildInit(init)
	if rec == nil && err == nil {
		return q.parentOf(init, top), true, nil
	}
	return rec, false, err
}

// parentOf returns the Container that the init's was made in, as far as both are in
// one top-level container; else outer. It ends because every parent of an init is
// less deep.
func (q *inquiry) parentOf(init *process, outer *record) *record {
	parent, err := q.readTask(init.status.ppid)
	if err != nil || parent.status.depth >= init.status.depth {
		return outer
	}
	a, err := q.answer(parent)
	if err != nil || a.rec == nil || topOf(a.rec) != topOf(outer) {
		return outer
	}
	return a.rec
}
