// Package fair divides what there is room for among owners, who for lxcfs are
// top-level containers, so that none of them takes the room of the others.
//
// A [Gate] bounds how many requests an owner has under way: one whose requests
// block does not take the workers from all. A [Ledger] says which item is to go
// when there is no more room: the one used longest ago of the owner who has the
// most. So an owner who has no more than an equal share loses nothing, whatever
// the others do, and one who is alone may have it all.
//
// The package does not know what a request or an item is. A ledger holds none of
// them and takes none away; that is its user's to do.
package fair
