package cgroup

import (
	"bytes"
	"iter"
	"math/bits"
	"strconv"
)

// MaxCPUs bounds the CPU numbers of a [CPUSet], as CONFIG_NR_CPUS does: 0 to
// MaxCPUs-1.
const MaxCPUs = 8192

// CPUSet is a set of CPU numbers, a bitmap. The methods do not change it; the
// zero value is the empty set.
type CPUSet []uint64

// CPUSetOf returns the set of the given CPUs, those outside 0 to MaxCPUs-1 left
// out.
func CPUSetOf(cpus ...int) CPUSet {
	var s CPUSet
	for _, c := range cpus {
		if c >= 0 && c < MaxCPUs {
			s = s.add(c, c)
		}
	}
	return s
}

// ParseCPUList parses a CPU list, with or without a newline at its end; the
// empty list is the empty set:
//
//	0-3,8,10-11
//
// Anything else, a range that runs backwards, and a CPU of MaxCPUs or more is
// [ErrFormat].
func ParseCPUList(b []byte) (CPUSet, error) {
	line, _ := bytes.CutSuffix(b, []byte("\n"))
	if len(line) == 0 {
		return nil, nil
	}
	var s CPUSet
	for more := true; more; {
		var item []byte
		item, line, more = bytes.Cut(line, []byte(","))
		low, high, ranged := bytes.Cut(item, []byte("-"))
		first, ok1 := parseDigits(low)
		last, ok2 := first, true
		if ranged {
			last, ok2 = parseDigits(high)
		}
		if !ok1 || !ok2 || last < first || last >= MaxCPUs {
			return nil, formatError(b)
		}
		s = s.add(int(first), int(last))
	}
	return s, nil
}

// add sets the CPUs first to last, in place where there is room.
func (s CPUSet) add(first, last int) CPUSet {
	if words := last/64 + 1; words > len(s) {
		s = append(s, make(CPUSet, words-len(s))...)
	}
	for w := first / 64; w <= last/64; w++ {
		mask := ^uint64(0)
		if w == first/64 {
			mask &= ^uint64(0) << (first % 64)
		}
		if w == last/64 {
			mask &= ^uint64(0) >> (63 - last%64)
		}
		s[w] |= mask
	}
	return s
}

// Has reports whether cpu is in the set.
func (s CPUSet) Has(cpu int) bool {
	return cpu >= 0 && cpu/64 < len(s) && s[cpu/64]>>(cpu%64)&1 == 1
}

// Count returns the number of CPUs in the set.
func (s CPUSet) Count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Empty reports whether no CPU is in the set.
func (s CPUSet) Empty() bool { return s.Last() < 0 }

// First returns the n lowest CPUs of the set.
func (s CPUSet) First(n int) CPUSet {
	out := make(CPUSet, 0, len(s))
	for _, w := range s {
		for ; n < bits.OnesCount64(w); w &^= 1 << (63 - bits.LeadingZeros64(w)) {
			if n <= 0 {
				return out
			}
		}
		out = append(out, w)
		n -= bits.OnesCount64(w)
	}
	return out
}

// Last returns the highest CPU of the set, -1 if it is empty.
func (s CPUSet) Last() int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] != 0 {
			return i*64 + 63 - bits.LeadingZeros64(s[i])
		}
	}
	return -1
}

// And returns the CPUs that are in both sets.
func (s CPUSet) And(o CPUSet) CPUSet {
	out := make(CPUSet, min(len(s), len(o)))
	for i := range out {
		out[i] = s[i] & o[i]
	}
	return out
}

// AndNot returns the CPUs of s that are not in o.
func (s CPUSet) AndNot(o CPUSet) CPUSet {
	out := append(CPUSet(nil), s...)
	for i := range min(len(s), len(o)) {
		out[i] &^= o[i]
	}
	return out
}

// Within reports whether all CPUs of s are in o.
func (s CPUSet) Within(o CPUSet) bool {
	for i, w := range s {
		if i < len(o) && w&^o[i] != 0 || i >= len(o) && w != 0 {
			return false
		}
	}
	return true
}

// Equal reports whether both sets have the same CPUs.
func (s CPUSet) Equal(o CPUSet) bool {
	if len(s) < len(o) {
		s, o = o, s
	}
	for i, w := range s {
		if i < len(o) && w != o[i] || i >= len(o) && w != 0 {
			return false
		}
	}
	return true
}

// All iterates over the CPUs, ascending.
func (s CPUSet) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(i*64 + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}

// AppendList appends the set as the kernel prints it ("0-3,8"), with no
// newline.
func (s CPUSet) AppendList(dst []byte) []byte {
	first, last, sep := -1, -2, len(dst)
	flush := func() {
		if first < 0 {
			return
		}
		if len(dst) > sep {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(first), 10)
		if last > first {
			dst = append(dst, '-')
			dst = strconv.AppendInt(dst, int64(last), 10)
		}
	}
	for cpu := range s.All() {
		if cpu != last+1 {
			flush()
			first = cpu
		}
		last = cpu
	}
	flush()
	return dst
}

// String returns the set as the kernel prints it.
func (s CPUSet) String() string { return string(s.AppendList(nil)) }
