package cgroup

import "iter"

// MaxCPUs bounds the CPU numbers of a [CPUSet], as CONFIG_NR_CPUS does: 0 to
// MaxCPUs-1.
const MaxCPUs = 8192

// CPUSet is a set of CPU numbers, a bitmap. The methods do not change it; the
// zero value is the empty set.
type CPUSet []uint64

// CPUSetOf returns the set of the given CPUs, those outside 0 to MaxCPUs-1 left
// out.
func CPUSetOf(cpus ...int) CPUSet { return nil }

// ParseCPUList parses a CPU list, with or without a newline at its end.
func ParseCPUList(b []byte) (CPUSet, error) { return nil, nil }

// Has reports whether cpu is in the set.
func (s CPUSet) Has(cpu int) bool { return false }

// Count returns the number of CPUs in the set.
func (s CPUSet) Count() int { return 0 }

// Empty reports whether no CPU is in the set.
func (s CPUSet) Empty() bool { return s.Count() == 0 }

// First returns the n lowest CPUs of the set.
func (s CPUSet) First(n int) CPUSet { return nil }

// Last returns the highest CPU of the set, -1 if it is empty.
func (s CPUSet) Last() int { return -1 }

// And returns the CPUs that are in both sets.
func (s CPUSet) And(o CPUSet) CPUSet { return nil }

// AndNot returns the CPUs of s that are not in o.
func (s CPUSet) AndNot(o CPUSet) CPUSet { return nil }

// Equal reports whether both sets have the same CPUs.
func (s CPUSet) Equal(o CPUSet) bool { return false }

// All iterates over the CPUs, ascending.
func (s CPUSet) All() iter.Seq[int] { return func(func(int) bool) {} }

// AppendList appends the set as the kernel prints it ("0-3,8"), with no
// newline.
func (s CPUSet) AppendList(dst []byte) []byte { return dst }

// String returns the set as the kernel prints it.
func (s CPUSet) String() string { return string(s.AppendList(nil)) }
