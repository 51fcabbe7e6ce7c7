package session

// lanes are the requests that were read and wait for their turn, in a lane for
// each who asks. The kernel has one queue for all; there, who asks with thousands
// of threads has all others wait for thousands of answers. So when there is a
// crowd, all of it is read, which costs a tenth of answering it, and each lane
// gets an answer in its turn. The owner locks.
type lanes struct {
	most    int // requests of one lane that are handled at a time
	byOwner map[string]*lane
	turns   []*lane // those that have a request and may have it handled, the next first
	waiting int     // requests in all
	full    int     // lanes of which no more may be handled
}

// lane is what one owner asked for. It exists while that is not answered.
type lane struct {
	owner  string
	slots  []int // that wait, the oldest first
	busy   int   // requests being handled
	listed bool  // in turns
}

func newLanes(most int) lanes { return lanes{most: most, byOwner: make(map[string]*lane)} }

// of returns the lane of an owner.
func (l *lanes) of(owner string) *lane {
	a := l.byOwner[owner]
	if a == nil {
		a = &lane{owner: owner}
		l.byOwner[owner] = a
	}
	return a
}

// park adds a request to the lane of its owner.
func (l *lanes) park(owner string, slot int) {
	a := l.of(owner)
	a.slots = append(a.slots, slot)
	l.waiting++
	l.list(a)
}

// list gives a lane its turn after all others.
func (l *lanes) list(a *lane) {
	if !a.listed && len(a.slots) > 0 && a.busy < l.most {
		a.listed = true
		l.turns = append(l.turns, a)
	}
}

// ready: take has a request to give.
func (l *lanes) ready() bool { return len(l.turns) > 0 }

// take returns the next request, whose lane done is to be told of.
func (l *lanes) take() (slot int, a *lane) {
	a, l.turns = l.turns[0], l.turns[1:]
	a.listed = false
	slot, a.slots = a.slots[0], a.slots[1:]
	l.start(a)
	l.waiting--
	l.list(a)
	return slot, a
}

// start counts a request of a lane that is being handled, also one that did not
// wait. done is to be told of it.
func (l *lanes) start(a *lane) {
	if a.busy++; a.busy == l.most {
		l.full++
	}
}

// done ends a request of a lane.
func (l *lanes) done(a *lane) {
	if a.busy == l.most {
		l.full--
	}
	a.busy--
	l.list(a)
	if a.busy == 0 && len(a.slots) == 0 {
		delete(l.byOwner, a.owner)
	}
}
