package fs

import (
	"fmt"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

func namedEntries(count int, suffix string) []vfs.Entry {
	entries := make([]vfs.Entry, count)
	for i := range entries {
		entries[i].Name = fmt.Sprint(i, suffix)
	}
	return entries
}

// A listing of 100000 names is kept, and another container's stays, however many
// directories one opens and however long their names are.
func TestListingsAreShared(t *testing.T) {
	var l listings
	victim, long := l.create(1), l.create(1)
	l.keep(victim, namedEntries(300, ""), "/victim")
	l.keep(long, namedEntries(100_000, "-cgroup"), "/long")
	if _, ok := l.get(long); !ok {
		t.Error("a listing of 100000 names is not kept")
	}
	var attacker []uint64
	for range 1000 {
		fh := l.create(1)
		attacker = append(attacker, fh)
		l.keep(fh, namedEntries(1000, strings.Repeat("x", 200)), "/attacker")
	}
	if entries, ok := l.get(victim); !ok || len(entries) != 300 {
		t.Errorf("the victim's listing: %d names, %v", len(entries), ok)
	}
	if size := l.ledger.Size(); size > maxListings {
		t.Errorf("%d bytes are kept, want at most %d", size, maxListings)
	}
	if _, ok := l.get(attacker[len(attacker)-1]); !ok {
		t.Error("the attacker's last listing is not kept")
	}
	for _, fh := range append(attacker, victim, long) {
		l.release(fh)
	}
	if len(l.open) != 0 || l.ledger.Size() != 0 {
		t.Errorf("%d listings, %d bytes left behind", len(l.open), l.ledger.Size())
	}
}

// One that is longer than all room is not kept, and takes nothing from others.
func TestListingTooLong(t *testing.T) {
	var l listings
	victim, huge := l.create(1), l.create(1)
	l.keep(victim, namedEntries(300, ""), "/victim")
	l.keep(huge, namedEntries(maxListings/(entryCost+200), strings.Repeat("x", 250)), "/attacker")
	if _, ok := l.get(huge); ok || l.ledger.Size() > maxListings {
		t.Errorf("it is kept: %v; %d bytes are", ok, l.ledger.Size())
	}
	if _, ok := l.get(victim); !ok {
		t.Error("the victim's listing is gone")
	}
}
