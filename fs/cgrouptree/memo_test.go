package cgrouptree

import (
	"fmt"
	"strings"
	"testing"
)

// forget makes a memo forget a key.
func (m *memo[K, V]) forget(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.items[key]; i != nil {
		m.drop(i)
	}
}

// One container that looks up any number of cgroups with names as long as they may be
// takes no more memory than there is room for, and from itself.
func TestMemoIsShared(t *testing.T) {
	const room, long = 1 << 20, 4000
	m := memo[int, string]{room: room}
	name := strings.Repeat("x", long)
	for key := range 10 {
		m.put("/victim", key, "victim's", 8)
	}
	for key := range 5000 {
		m.put("/attacker", 100+key, name, long)
	}
	if size, most := m.ledger.Size(), room/long; size > room || len(m.items) > most+10 || len(m.items) < most/2 {
		t.Errorf("%d bytes of %d items, want at most %d of about %d", size, len(m.items), room, most)
	}
	for key := range 10 {
		if name, ok := m.get(key); !ok || name != "victim's" {
			t.Errorf("the victim's item %d is %q, %v", key, name, ok)
		}
	}
	m.put("/victim", 3, "elsewhere", 9)
	if name, _ := m.get(3); name != "elsewhere" {
		t.Errorf("a new value is %q", name)
	}
}

// What one container looks up takes nothing from another one's nodes: they are found
// where they were, without a search.
func TestPathsOfOthers(t *testing.T) {
	w := newWorld(t)
	key := w.mustWalk(2001, "unified/other/sub")
	s := scope{top: "/box"}
	for i := range 1 << 16 {
		w.tree.remember(s, w.tree.named("unified").key(1<<32+uint64(i)), fmt.Sprintf("box/%d", i))
	}
	if name, ok := w.tree.paths.get(key); !ok || name != "other/sub" {
		t.Errorf("the place of the other container's cgroup is %q, %v", name, ok)
	}
}
