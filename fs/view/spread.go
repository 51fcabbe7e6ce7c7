package view

import (
	"math/bits"
	"slices"
)

// pool is CPU time that is still to be given to CPUs, microseconds.
type pool struct{ user, nice, system uint64 }

func (p *pool) sum() uint64 { return p.user + p.nice + p.system }

func (p *pool) add(o pool) {
	p.user += o.user
	p.nice += o.nice
	p.system += o.system
}

// split takes up to n microseconds out of p: of each kind its share, so that no
// CPU is all user and another all system.
func (p *pool) split(n uint64) pool {
	sum := p.sum()
	n = min(n, sum)
	part := pool{user: share(n, p.user, sum), nice: share(n, p.nice, sum)}
	part.system = min(p.system, n-part.user-part.nice)
	for _, kind := range [...]struct{ to, from *uint64 }{{&part.user, &p.user}, {&part.nice, &p.nice}} {
		*kind.to += min(n-part.sum(), *kind.from-*kind.to) // what rounding left
	}
	p.user -= part.user
	p.nice -= part.nice
	p.system -= part.system
	return part
}

// share returns n*part/sum, rounded down, for part <= sum; 0 for an empty sum.
func share(n, part, sum uint64) uint64 {
	if sum == 0 {
		return 0
	}
	if part >= sum {
		return n
	}
	hi, lo := bits.Mul64(n, part)
	q, _ := bits.Div64(hi, lo, sum) // hi < sum, as part < sum
	return q
}

// give moves up to room microseconds from the pool to a CPU.
func (a *account) give(cpu int, room uint64, left *pool) uint64 {
	part := left.split(room)
	a.credit(cpu, part)
	return part.sum()
}

// credit adds time to a CPU.
func (a *account) credit(cpu int, p pool) {
	c := &a.cpus[cpu]
	c.user += p.user
	c.nice += p.nice
	c.system += p.system
	a.ran[cpu] += p.sum()
}

// seed is the first sight of a v2 container that may have run for long: where
// is not known. Its time is spread evenly over the CPUs that it sees, none of
// them longer than the host was busy there since boot; then by the container's
// age alone; then over the CPUs that it may have been on before. What is left is
// older than the container and none of its time.
func (a *account) seed(s *slice, left pool, wall uint64) {
	busy := func(i int) uint64 { return min(wall, a.hostRan(s, i)) }
	a.order = a.candidates(s.visible)
	a.even(a.order, busy, &left)
	a.even(a.order, func(int) uint64 { return wall }, &left)
	a.order = a.order[:0]
	for i := range a.cpus {
		if !s.visible.Has(i) {
			a.order = append(a.order, i)
		}
	}
	a.even(a.order, busy, &left)
}

// even gives time to CPUs evenly, up to a total for each.
func (a *account) even(cpus []int, most func(cpu int) uint64, left *pool) {
	slices.SortStableFunc(cpus, func(i, j int) int {
		x, y := grown(most(i), a.ran[i]), grown(most(j), a.ran[j])
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	for n, i := range cpus {
		rest := uint64(len(cpus) - n)
		a.give(i, min(grown(most(i), a.ran[i]), (left.sum()+rest-1)/rest), left)
	}
}
