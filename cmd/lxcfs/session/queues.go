package session

import "slices"

// queues are the requests that were read and wait for their turn, in a queue for
// each who asks. The kernel has one queue for all; there, who asks with thousands
// of threads has all others wait for thousands of answers. So when there is a
// backlog, all of it is read, which costs a tenth of answering it, and each queue
// gets an answer in its turn. The owner locks.
type queues struct {
	most     int // requests of one queue that are handled at a time
	byOwner  map[string]*queue
	turns    []*queue // those that have a request and may have it handled, the next first
	waiting  int      // requests in all, with those that are not sorted
	unsorted []int    // requests of which it is not known whose they are, the oldest first
	newest   bool     // of these the newest one is next, not the oldest
	full     int      // queues of which no more may be handled
}

// queue is what one owner asked for. It exists while that is not answered.
type queue struct {
	owner  string
	slots  []int // that wait, the oldest first
	busy   int   // requests being handled
	listed bool  // in turns
}

func newQueues(most int) queues { return queues{most: most, byOwner: make(map[string]*queue)} }

// of returns the queue of an owner.
func (l *queues) of(owner string) *queue {
	a := l.byOwner[owner]
	if a == nil {
		a = &queue{owner: owner}
		l.byOwner[owner] = a
	}
	return a
}

// add makes a request one that waits.
func (l *queues) add(slot int) {
	l.unsorted = append(l.unsorted, slot)
	l.waiting++
}

// unknown takes out a request whose owner is to be looked up: by turns the newest
// and the oldest one. A look takes milliseconds in a cgroup that is deep enough
// (kernfs_path_from_node is quadratic in its depth), and then thousands of requests
// wait for it. The newest one is of somebody who waits for nothing else.
func (l *queues) unknown() (slot int, ok bool) {
	n := len(l.unsorted)
	if n == 0 {
		return 0, false
	}
	if l.newest = !l.newest; l.newest {
		slot, l.unsorted = l.unsorted[n-1], l.unsorted[:n-1]
	} else {
		slot, l.unsorted = l.unsorted[0], l.unsorted[1:]
	}
	return slot, true
}

// park gives a request, which was added, to the queue of its owner.
func (l *queues) park(owner string, slot int) {
	a := l.of(owner)
	a.slots = append(a.slots, slot)
	l.list(a)
}

// list gives a queue its turn after all others.
func (l *queues) list(a *queue) {
	if !a.listed && len(a.slots) > 0 && a.busy < l.most {
		a.listed = true
		l.turns = append(l.turns, a)
	}
}

// ready: take has a request to give, or will have when somebody sorts.
func (l *queues) ready() bool { return len(l.turns) > 0 || len(l.unsorted) > 0 }

// take returns the next request, whose queue done is to be told of.
func (l *queues) take() (slot int, a *queue) {
	a, l.turns = l.turns[0], l.turns[1:]
	a.listed = false
	slot, a.slots = a.slots[0], a.slots[1:]
	l.start(a)
	l.waiting--
	l.list(a)
	return slot, a
}

// drop takes out n requests, the oldest ones, of the queue that has most in the slots
// that are read to; of those only, and of these only which may be refused.
func (l *queues) drop(n int, may func(slot int) bool) (dropped []int) {
	var worst *queue
	most := 0
	for _, a := range l.byOwner {
		held := 0
		for _, i := range a.slots {
			if i < readySlots && may(i) {
				held++
			}
		}
		if held > most {
			worst, most = a, held
		}
	}
	if worst == nil {
		return nil
	}
	worst.slots = slices.DeleteFunc(worst.slots, func(i int) bool {
		if i >= readySlots || len(dropped) == n || !may(i) {
			return false
		}
		dropped = append(dropped, i)
		return true
	})
	l.waiting -= len(dropped)
	return dropped
}

// start counts a request of a queue that is being handled, also one that did not
// wait. done is to be told of it.
func (l *queues) start(a *queue) {
	if a.busy++; a.busy == l.most {
		l.full++
	}
}

// done ends a request of a queue.
func (l *queues) done(a *queue) {
	if a.busy == l.most {
		l.full--
	}
	a.busy--
	l.list(a)
	if a.busy == 0 && len(a.slots) == 0 {
		delete(l.byOwner, a.owner)
	}
}
