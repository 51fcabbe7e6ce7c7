package fair

// Item is a place in a [Ledger] for a value. The zero value with Value set is in
// none. It must not be copied while it is in one.
type Item[V any] struct {
	Value V

	owner        *owner[V] // nil: in no ledger
	size         int
	older, newer *Item[V]
}

// Size returns the item's size, 0 when it is in no ledger.
func (i *Item[V]) Size() int { return i.size }

// owner is what one owner has, in the order of use.
type owner[V any] struct {
	name           string
	size           int
	oldest, newest *Item[V]
}

// maxSpare is how many owners who have nothing any more are kept to be used
// again.
const maxSpare = 16

// Ledger knows whose each item is. The zero value is empty. It is its user's to
// have one goroutine at a time use it.
type Ledger[V any] struct {
	owners map[string]*owner[V]
	spare  []*owner[V]
	size   int
}

// Size returns the sum of the sizes of all items.
func (l *Ledger[V]) Size() int { return l.size }

// Add puts in an item that is in no ledger, as the one that its owner used last.
// Its size is more than 0.
func (l *Ledger[V]) Add(i *Item[V], name string, size int) {
	o := l.owner(name)
	i.owner, i.size = o, size
	l.size += size
	o.size += size
	o.append(i)
}

// owner returns the owner of that name.
func (l *Ledger[V]) owner(name string) *owner[V] {
	o := l.owners[name]
	if o != nil {
		return o
	}
	if l.owners == nil {
		l.owners = make(map[string]*owner[V])
	}
	if n := len(l.spare); n > 0 {
		o, l.spare = l.spare[n-1], l.spare[:n-1]
	} else {
		o = new(owner[V])
	}
	o.name = name
	l.owners[name] = o
	return o
}

// Remove takes an item out, if it is in.
func (l *Ledger[V]) Remove(i *Item[V]) {
	o := i.owner
	if o == nil {
		return
	}
	o.unlink(i)
	l.size -= i.size
	o.size -= i.size
	i.owner, i.size = nil, 0
	if o.oldest != nil {
		return
	}
	delete(l.owners, o.name)
	if len(l.spare) < maxSpare {
		o.name = ""
		l.spare = append(l.spare, o)
	}
}

// Use makes an item the one that its owner used last, if it is in.
func (l *Ledger[V]) Use(i *Item[V]) {
	if o := i.owner; o != nil && o.newest != i {
		o.unlink(i)
		o.append(i)
	}
}

// Next returns the item that is to go next, nil when there is none. It looks at
// each owner, and is asked only where there is no room.
func (l *Ledger[V]) Next() *Item[V] {
	var most *owner[V]
	for _, o := range l.owners {
		if most == nil || o.size > most.size {
			most = o
		}
	}
	if most == nil {
		return nil
	}
	return most.oldest
}

// append makes i, which is not in the order, the newest.
func (o *owner[V]) append(i *Item[V]) {
	i.older = o.newest
	if o.newest == nil {
		o.oldest = i
	} else {
		o.newest.newer = i
	}
	o.newest = i
}

// unlink takes i out of the order.
func (o *owner[V]) unlink(i *Item[V]) {
	if i.older == nil {
		o.oldest = i.newer
	} else {
		i.older.newer = i.newer
	}
	if i.newer == nil {
		o.newest = i.older
	} else {
		i.newer.older = i.older
	}
	i.older, i.newer = nil, nil
}
