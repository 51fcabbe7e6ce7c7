package cgrouptree

import (
	"sync"

	"linuxcontainers.org/lxcfs/cgroup/fair"
)

// memo remembers what can be found out again, up to a number of bytes. When there is
// no more room, the top-level container that has most loses what it used longest ago.
// Safe for concurrent use.
type memo[K comparable, V any] struct {
	room int // bytes

	mu     sync.Mutex // guards what follows
	items  map[K]*fair.Item[memory[K, V]]
	ledger fair.Ledger[memory[K, V]]
}

type memory[K comparable, V any] struct {
	key   K
	value V
}

// memoryCost is about what an item takes beside its texts, bytes.
const memoryCost = 192

// get returns what is remembered of a key.
func (m *memo[K, V]) get(key K) (value V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.items[key]
	if i == nil {
		return value, false
	}
	m.ledger.Use(i)
	return i.Value.value, true
}

// put remembers a value, whose texts are so long, for a top-level container.
func (m *memo[K, V]) put(top string, key K, value V, length int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.items == nil {
		m.items = make(map[K]*fair.Item[memory[K, V]])
	}
	if old := m.items[key]; old != nil {
		m.drop(old)
	}
	i := &fair.Item[memory[K, V]]{Value: memory[K, V]{key, value}}
	m.items[key] = i
	m.ledger.Add(i, top, memoryCost+length)
	for m.ledger.Size() > m.room {
		m.drop(m.ledger.Next())
	}
}

// drop forgets an item. mu is held.
func (m *memo[K, V]) drop(i *fair.Item[memory[K, V]]) {
	m.ledger.Remove(i)
	delete(m.items, i.Value.key)
}
