package container

import (
	"sync"
)

// ring is a map of at most limit entries, which cost no more than room together. A
// full one drops, for a new entry, one that was not used since the hand last came by
// (CLOCK). It is not safe for concurrent use; its owner locks.
type ring[K comparable, V any] struct {
	limit int
	index map[K]int
	slots []slot[K, V]
	hand  int
	// cost is what an entry costs, bytes; that does not change. nil: nothing.
	cost func(V) int
	room int // bytes
	used int // by all entries
	// busy says of an entry that it shall stay if another one can go; nil for
	// none.
	busy func(V) bool
	// dropped is told of an entry that had to go, or was replaced; nil for nobody.
	dropped func(V)
}

type slot[K comparable, V any] struct {
	key   K
	value V
	used  bool
}

func (r *ring[K, V]) get(key K) (V, bool) {
	i, ok := r.index[key]
	if !ok {
		var none V
		return none, false
	}
	r.slots[i].used = true
	return r.slots[i].value, true
}

func (r *ring[K, V]) put(key K, value V) {
	if r.index == nil {
		r.index = make(map[K]int)
	}
	if i, ok := r.index[key]; ok {
		old := r.slots[i].value
		r.remove(key)
		if r.dropped != nil {
			r.dropped(old)
		}
	}
	cost := r.costOf(value)
	for len(r.slots) > 0 && (len(r.slots) >= r.limit || r.used+cost > r.room) {
		r.evict()
	}
	r.used += cost
	r.index[key] = len(r.slots)
	r.slots = append(r.slots, slot[K, V]{key, value, true})
}

func (r *ring[K, V]) costOf(value V) int {
	if r.cost == nil {
		return 0
	}
	return r.cost(value)
}

// fade drops the entries that were not used since it was last called.
func (r *ring[K, V]) fade() {
	for i := len(r.slots) - 1; i >= 0; i-- { // the last one takes the place of one that goes
		if s := &r.slots[i]; s.used {
			s.used = false
		} else {
			r.remove(s.key)
		}
	}
}

// evict drops one entry: in the worst case, all used and busy, after two rounds.
func (r *ring[K, V]) evict() {
	for range 2 * len(r.slots) {
		r.hand = (r.hand + 1) % len(r.slots)
		s := &r.slots[r.hand]
		if s.used || r.busy != nil && r.busy(s.value) {
			s.used = false
			continue
		}
		break
	}
	s := r.slots[r.hand]
	r.remove(s.key)
	if r.dropped != nil {
		r.dropped(s.value)
	}
}

func (r *ring[K, V]) remove(key K) {
	i, ok := r.index[key]
	if !ok {
		return
	}
	last := len(r.slots) - 1
	r.used -= r.costOf(r.slots[i].value)
	r.slots[i] = r.slots[last]
	r.index[r.slots[i].key] = i
	r.slots[last] = slot[K, V]{}
	r.slots = r.slots[:last]
	delete(r.index, key)
	if r.hand >= last {
		r.hand = 0
	}
}

// cache is a ring that is safe for concurrent use.
type cache[K comparable, V any] struct {
	mu sync.Mutex
	ring[K, V]
}

func (c *cache[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ring.get(key)
}

func (c *cache[K, V]) put(key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring.put(key, value)
}
