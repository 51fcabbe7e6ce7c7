package memory

// maxWeight keeps sums of weights from overflowing: there are 1024 nodes at most.
const maxWeight = 1 << 50

// Shares splits a number in proportion to weights; where all are 0 the first has
// it. The sum is exact, each share rounded up or down.
func Shares(n uint64, weights []uint64) []uint64 {
	out := make([]uint64, len(weights))
	if len(out) == 0 {
		return out
	}
	var all, sofar, given uint64
	for _, w := range weights {
		all += min(w, maxWeight)
	}
	if all == 0 {
		out[0] = n
		return out
	}
	for i, w := range weights {
		sofar += min(w, maxWeight)
		upTo := Scale(n, sofar, all)
		out[i] = upTo - given
		given = upTo
	}
	return out
}

// within is Shares with none above most. What that leaves goes to the others in
// proportion to their room; the sum is exact if there is room for all.
func within(n uint64, weights, most []uint64) []uint64 {
	out := Shares(n, weights)
	room := make([]uint64, len(out))
	var left uint64
	for i := range out {
		room[i] = floorSub(most[i], out[i])
		left += floorSub(out[i], most[i])
		out[i] = min(out[i], most[i])
	}
	for i, more := range Shares(left, room) {
		out[i] += min(more, room[i])
	}
	return out
}

// above is Shares with none below least. The sum is exact if that of least is
// not more. No share is above its weight, if n and least are not above the
// weights.
func above(n uint64, weights, least []uint64) []uint64 {
	out := make([]uint64, len(weights))
	raised := make([]bool, len(weights))
	for again := true; again; {
		again = false
		open, rest := make([]uint64, len(weights)), n
		for i := range weights {
			if raised[i] {
				rest = floorSub(rest, least[i])
			} else {
				open[i] = weights[i]
			}
		}
		part := Shares(rest, open)
		for i := range out {
			switch {
			case raised[i]:
				out[i] = least[i]
			case part[i] < least[i]:
				raised[i], again = true, true
			default:
				out[i] = part[i]
			}
		}
	}
	return out
}
