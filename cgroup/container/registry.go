package container

import (
	"sync"
	"sync/atomic"
)

// registry is the known Containers. It reads nothing.
type registry struct {
	maxContainers, maxNested int
	version                  atomic.Uint64 // counts the records ever published
	crowded                  chan struct{} // see [Resolver.Crowded]

	mu           sync.Mutex
	records      ring[ident, *record]
	byInit       map[uint32]*record // init pid
	byCgroup     map[uint64]*record // inode of a unit's or scope's cgroup
	alone        map[string]int     // records that are in no other, by their Top
	unlinked     []*record          // since take
	unlinkedText int                // what their texts cost
}

func (g *registry) init(opts Options) {
	g.maxContainers, g.maxNested = opts.MaxContainers, opts.MaxNested
	g.crowded = make(chan struct{}, 1)
	g.byInit, g.byCgroup, g.alone = make(map[uint32]*record), make(map[uint64]*record), make(map[string]int)
	g.records = ring[ident, *record]{limit: opts.MaxContainers, cost: (*record).text, room: maxText, dropped: g.unlink}
	g.records.busy = func(rec *record) bool { return rec.nested > 0 || rec.used.Swap(false) }
}

// ofInit returns what is known by an init's pid; nil for nothing.
func (g *registry) ofInit(pid uint32) *record {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.byInit[pid]
}

// ofCgroup returns what is known by the inode of a unit's or scope's cgroup.
func (g *registry) ofCgroup(inode uint64) *record {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.byCgroup[inode]
}

// all returns the records of now.
func (g *registry) all() []*record {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]*record, 0, len(g.records.slots))
	for i := range g.records.slots {
		all = append(all, g.records.slots[i].value)
	}
	return all
}

// inits returns the records of inits at that depth. They need not live: who picks
// one has to look.
func (g *registry) inits(depth int) []*record {
	var known []*record
	for _, rec := range g.all() {
		if rec.c.InitPID != 0 && rec.c.PIDDepth == depth && !rec.stale.Load() {
			known = append(known, rec)
		}
	}
	return known
}

// take returns the records that were taken out since it was last called, and the
// Keys of those that are there.
func (g *registry) take() (gone []*record, keys map[Key]bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gone = g.unlinked
	g.unlinked, g.unlinkedText = nil, 0
	keys = make(map[Key]bool, len(g.records.slots))
	for i := range g.records.slots {
		keys[g.records.slots[i].value.c.Key] = true
	}
	return gone, keys
}

// forget takes a record out.
func (g *registry) forget(rec *record) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.records.get(rec.ident()); ok && known == rec {
		g.records.remove(rec.ident())
		g.unlink(rec)
	}
}

// unlink takes a record out of all maps but records. The caller holds mu.
func (g *registry) unlink(rec *record) {
	rec.stale.Store(true)
	rec.hold(nil)
	if len(g.unlinked) < g.maxContainers && g.unlinkedText < maxUnlinkedText {
		g.unlinked = append(g.unlinked, rec)
		g.unlinkedText += rec.text()
	}
	if 2*len(g.unlinked) >= g.maxContainers || 2*g.unlinkedText >= maxUnlinkedText {
		select {
		case g.crowded <- struct{}{}:
		default: // said already
		}
	}
	if g.byInit[rec.c.InitPID] == rec {
		delete(g.byInit, rec.c.InitPID)
	}
	for _, inode := range []uint64{rec.inode, rec.c.Key.Inode} {
		if g.byCgroup[inode] == rec {
			delete(g.byCgroup, inode)
		}
	}
	if rec.top != nil {
		rec.top.nested--
	}
	if g.alone[rec.c.Top] -= rec.alone(); g.alone[rec.c.Top] == 0 {
		delete(g.alone, rec.c.Top)
	}
}

// evictAlone drops one of the records alone in a top-level container, rather one
// that has not answered of late: where no scope and no unit contains them, there is
// none whose numbers one too many could be shown. The caller holds mu.
func (g *registry) evictAlone(top string) {
	var victim *record
	for i := range g.records.slots {
		rec := g.records.slots[i].value
		if rec.top != nil || rec.c.Top != top || rec.nested > 0 {
			continue
		}
		victim = rec
		if !rec.used.Swap(false) {
			break
		}
	}
	if victim != nil {
		g.records.remove(victim.ident())
		g.unlink(victim)
	}
}

// publish makes a record known, unless there is one for the same Container
// already, which it then returns. nil: its top-level container is full.
func (g *registry) publish(rec *record) *record {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.records.get(rec.ident()); ok {
		if known.raw == rec.raw {
			if known.inode == 0 {
				known.inode = rec.inode
			}
			g.index(known, known.inode)
			return known
		}
		g.records.remove(rec.ident())
		g.unlink(known)
	}
	if rec.top != nil {
		if rec.top.nested >= g.maxNested {
			return nil
		}
		rec.top.nested++
	} else if rec.c.Top != "/" && g.alone[rec.c.Top] >= g.maxNested { // all share "/" where nothing is in a cgroup
		g.evictAlone(rec.c.Top)
	}
	g.alone[rec.c.Top] += rec.alone()
	g.records.put(rec.ident(), rec)
	g.index(rec, rec.inode)
	g.version.Add(1)
	return rec
}

// index makes rec the one to be found by its init, and by a scope's inode unless
// that is 0. The caller holds mu.
func (g *registry) index(rec *record, inode uint64) {
	if rec.c.InitPID != 0 {
		g.byInit[rec.c.InitPID] = rec
	}
	if inode != 0 {
		g.byCgroup[inode] = rec
	}
}
