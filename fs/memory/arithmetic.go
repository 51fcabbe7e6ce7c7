package memory

import (
	"math"
	"math/bits"
)

// floorSub returns a-b, or 0 when that is negative: counters are read one after
// the other, and usage exceeds a limit that was just lowered.
func floorSub(a, b uint64) uint64 { return a - min(a, b) }

// ceilAdd returns a+b, or the largest number when that is larger.
func ceilAdd(a, b uint64) uint64 {
	if b > math.MaxUint64-a {
		return math.MaxUint64
	}
	return a + b
}

// Scale returns n*part/whole, rounded down and not more than n; 0 for an empty
// whole.
func Scale(n, part, whole uint64) uint64 {
	if whole == 0 {
		return 0
	}
	if part >= whole {
		return n
	}
	hi, lo := bits.Mul64(n, part)
	q, _ := bits.Div64(hi, lo, whole) // hi < whole, as part < whole
	return q
}

// sqrt returns the integer square root.
func sqrt(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	x := uint64(1) << ((bits.Len64(n) + 1) / 2) // not below the root
	for {
		y := (x + n/x) / 2
		if y >= x {
			return x
		}
		x = y
	}
}
