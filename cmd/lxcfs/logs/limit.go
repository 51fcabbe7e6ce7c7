package logs

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// Bounds of what containers have logged in a period: lines of one kind of a top-level
// container, of all its kinds, and of all containers.
const (
	Period      = time.Minute
	logPerKind  = 5
	logPerOwner = 20
	logInAll    = 400
)

// Bounds of the Limiter's memory: containers, and kinds of each. What is beyond them
// shares one allowance.
const (
	maxOwners = 1024
	maxKinds  = 64
)

// Limiter lets a few messages of each kind of each top-level container through in each
// period and counts the rest, so that no container can fill the journal, nor keep
// what concerns another out of it.
type Limiter struct {
	mu     sync.Mutex
	owners map[string]*ownerAllowance
	all    allowance
}

// ownerAllowance is that of one top-level container, "" for what is nobody's.
type ownerAllowance struct {
	allowance
	kinds map[string]*allowance
}

// allowance counts the messages of a period.
type allowance struct {
	since      time.Time
	used, left int // let through; left out, and not told yet
}

// NewLimiter returns one that has let nothing through yet.
func NewLimiter() *Limiter {
	return &Limiter{owners: make(map[string]*ownerAllowance)}
}

// begin begins a new period if the last one is over, and says whether a message more
// is within the burst.
func (a *allowance) begin(now time.Time, burst int) bool {
	if now.Sub(a.since) >= Period {
		a.since, a.used = now, 0
	}
	return a.used < burst
}

// Allow says whether a message of this kind of a top-level container may be logged
// now, and how many of its kind were left out before it.
func (l *Limiter) Allow(owner, kind string, now time.Time) (ok bool, suppressed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.owner(owner)
	k := o.kind(kind)
	kindOK, ownerOK, allOK := k.begin(now, logPerKind), o.begin(now, logPerOwner), l.all.begin(now, logInAll)
	if !kindOK || !ownerOK || !allOK {
		k.left++
		return false, 0
	}
	k.used++
	o.used++
	l.all.used++
	suppressed, k.left = k.left, 0
	return true, suppressed
}

func (l *Limiter) owner(name string) *ownerAllowance {
	if _, known := l.owners[name]; !known && len(l.owners) >= maxOwners {
		name = beyond
	}
	if l.owners[name] == nil {
		l.owners[name] = &ownerAllowance{kinds: make(map[string]*allowance)}
	}
	return l.owners[name]
}

func (o *ownerAllowance) kind(name string) *allowance {
	if _, known := o.kinds[name]; !known && len(o.kinds) >= maxKinds {
		name = beyond
	}
	if o.kinds[name] == nil {
		o.kinds[name] = new(allowance)
	}
	return o.kinds[name]
}

// beyond is the name of all that there is no room for. No cgroup has it.
const beyond = "others"

// leftOut is how many messages about a top-level container were left out.
type leftOut struct {
	owner string
	count int
}

// sum returns what was left out and not told by a later message of its kind, of the
// kinds whose period is over, the most first; and forgets those.
func (l *Limiter) sum(now time.Time) []leftOut {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []leftOut
	for name, o := range l.owners {
		n := 0
		maps.DeleteFunc(o.kinds, func(_ string, k *allowance) bool {
			over := now.Sub(k.since) >= Period
			if over {
				n += k.left
			}
			return over
		})
		if n > 0 {
			all = append(all, leftOut{name, n})
		}
		if len(o.kinds) == 0 {
			delete(l.owners, name)
		}
	}
	slices.SortFunc(all, func(a, b leftOut) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.owner, b.owner))
	})
	return all
}

// sumsLogged is how many containers are named at the end of a period.
const sumsLogged = 10

// LogLeftOut logs what was left out, once in each period.
func (l *Limiter) LogLeftOut(log Logger, now time.Time) { logLeftOut(log, l.sum(now)) }

// logLeftOut names those about whom most was left out, and adds up the others.
func logLeftOut(log Logger, all []leftOut) {
	for _, o := range all[:min(len(all), sumsLogged)] {
		log.Warn("messages left out", "container", o.owner, "count", o.count)
	}
	if len(all) <= sumsLogged {
		return
	}
	n := 0
	for _, o := range all[sumsLogged:] {
		n += o.count
	}
	log.Warn("messages left out", "containers", len(all)-sumsLogged, "count", n)
}
