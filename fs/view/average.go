package view

import "time"

// Load averages as the kernel computes them, include/linux/sched/loadavg.h:
// fixed point with 11 bits (FSHIFT), every 5 s.
const (
	loadShift    = 11
	fixedOne     = 1 << loadShift
	loadInterval = 5 * time.Second
)

// decay are the kernel's EXP_1, EXP_5 and EXP_15.
func decay() [3]uint64 { return [3]uint64{1884, 2014, 2037} }

// averages are those over 1, 5 and 15 minutes, in units of 1/2048.
type averages [3]uint64

// after returns the averages n periods later, in which so many tasks were
// active. It is calc_load_n of kernel/sched/loadavg.c: n steps at once, whose
// factors multiply.
func (a averages) after(n, active uint64) averages {
	for i, exp := range decay() {
		a[i] = nextAverage(a[i], fixedPower(exp, n), active*fixedOne)
	}
	return a
}

// nextAverage is calc_load of kernel/sched/loadavg.c, rounding up while rising.
func nextAverage(load, exp, active uint64) uint64 {
	next := load*exp + active*(fixedOne-exp)
	if active >= load {
		next += fixedOne - 1
	}
	return next / fixedOne
}

// fixedPower returns x to the power n, rounded to the nearest at each
// multiplication, in the order of fixed_power_int.
func fixedPower(x, n uint64) uint64 {
	result := uint64(fixedOne)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result = fixedTimes(result, x)
		}
		x = fixedTimes(x, x)
	}
	return result
}

func fixedTimes(x, y uint64) uint64 { return (x*y + fixedOne/2) >> loadShift }

// aged returns the averages of a container that has that age and had as many
// active tasks ever since its start as it has now: a machine begins at 0.
func aged(age time.Duration, active uint64) averages {
	return averages{}.after(uint64(max(age, 0)/loadInterval), active)
}
