package fs

import (
	"sync"

	"linuxcontainers.org/lxcfs/cgroup/fair"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// listings are what open directories list, so that one that changes
// is read through without gaps, and a long one is made once and not for each part
// that is read of it. A listing that is not here is made anew; so none need outlive
// the process.
type listings struct {
	mu     sync.Mutex // guards all below
	next   uint64
	open   map[uint64]*fair.Item[listing]
	ledger fair.Ledger[listing]
}

// listing is what an open directory lists.
type listing struct {
	fh      uint64
	entries []vfs.Entry
}

const (
	// maxListings bounds the bytes of all listings that are kept. The top-level
	// container that has most loses the one that was used longest ago.
	maxListings = 16 << 20
	// listingCost and entryCost are what a listing and an entry count beside names.
	listingCost = 512
	entryCost   = 48
)

func (l *listing) size() int {
	size := listingCost
	for _, e := range l.entries {
		size += entryCost + len(e.Name)
	}
	return size
}

func (l *listings) create(epoch uint32) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	return handleNumber(epoch, l.next)
}

// keep keeps what a directory of the owner's lists. Earlier versions opened many
// under the number 0.
func (l *listings) keep(fh uint64, entries []vfs.Entry, owner string) {
	if fh == 0 {
		return
	}
	i := &fair.Item[listing]{Value: listing{fh, entries}}
	size := i.Value.size()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = make(map[uint64]*fair.Item[listing])
	}
	l.drop(l.open[fh])
	l.open[fh] = i
	l.ledger.Add(i, owner, size)
	for l.ledger.Size() > maxListings {
		l.drop(l.ledger.Next())
	}
}

// drop forgets a listing; nil is none. mu is held.
func (l *listings) drop(i *fair.Item[listing]) {
	if i != nil {
		l.ledger.Remove(i)
		delete(l.open, i.Value.fh)
	}
}

func (l *listings) get(fh uint64) ([]vfs.Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.open[fh]
	if i == nil {
		return nil, false
	}
	l.ledger.Use(i)
	return i.Value.entries, true
}

func (l *listings) release(fh uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(l.open[fh])
}
