package fair

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// table keeps items up to a bound, as a user of a Ledger does.
type table struct {
	Ledger[string]
	bound int
	gone  []string
}

func (t *table) keep(owner, value string, size int) *Item[string] {
	i := &Item[string]{Value: value}
	t.Add(i, owner, size)
	for t.Size() > t.bound {
		next := t.Next()
		t.gone = append(t.gone, next.Value)
		t.Remove(next)
	}
	return i
}

func TestWhoHasTheMostLosesTheOldest(t *testing.T) {
	l := table{bound: 6}
	l.keep("a", "a1", 1)
	l.keep("a", "a2", 2)
	used := l.keep("b", "b1", 1)
	for i := range 9 {
		if i == 1 {
			l.Use(used)
		}
		l.keep("b", fmt.Sprint("b", i+2), 1)
	}
	want := []string{"b2", "b1", "b3", "b4", "b5", "b6", "b7"} // b1 was used after b2
	if !slices.Equal(l.gone, want) {
		t.Errorf("gone: %q, want %q", l.gone, want)
	}
	if l.keep("c", "too big", 7); !slices.Contains(l.gone, "too big") || slices.Contains(l.gone, "a1") {
		t.Errorf("gone: %q, want what is larger than all the room, and nobody else's", l.gone)
	}
}

// An owner alone may have all of it, and gives it back down to equal shares.
func TestEqualShares(t *testing.T) {
	l := table{bound: 100}
	for i := range 1000 {
		l.keep("alone", fmt.Sprint(i), 1)
	}
	if got := l.owners["alone"].size; got != 100 {
		t.Errorf("one owner has %d of 100", got)
	}
	for i := range 4000 {
		l.keep(fmt.Sprint("owner", i%3), fmt.Sprint(i), 1)
	}
	for name, o := range l.owners {
		if o.size != 25 {
			t.Errorf("%s has %d of 100, want 25: there are 4", name, o.size)
		}
	}
}

// Whatever is done, sums and orders are those of the items that are in.
func TestLedgerAddsUp(t *testing.T) {
	var l Ledger[int]
	random := rand.New(rand.NewPCG(1, 2))
	items := make([]Item[int], 50)
	for range 20000 {
		i := &items[random.IntN(len(items))]
		switch {
		case i.Size() == 0:
			l.Add(i, fmt.Sprint(random.IntN(20)), 1+random.IntN(5))
		case random.IntN(2) == 0:
			l.Use(i)
		default:
			l.Remove(i)
		}
		total, count := 0, 0
		for name, o := range l.owners {
			size := 0
			var last *Item[int]
			for i := o.oldest; i != nil; last, i = i, i.newer {
				if i.owner != o || i.older != last {
					t.Fatalf("a link of %s is wrong", name)
				}
				size += i.size
				count++
			}
			if size != o.size || size == 0 || o.newest != last || o.name != name {
				t.Fatalf("%s: %+v, want a size of %d", name, o, size)
			}
			total += size
		}
		in := 0
		for i := range items {
			if items[i].Size() > 0 {
				in++
			}
		}
		if total != l.Size() || in != count {
			t.Fatalf("size %d of %d items, want %d of %d", l.Size(), count, total, in)
		}
	}
	for i := range items {
		l.Remove(&items[i])
	}
	if l.Size() != 0 || len(l.owners) != 0 || l.Next() != nil || len(l.spare) > maxSpare {
		t.Errorf("left: %+v", l)
	}
}
