package view

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// shown are averages as /proc/loadavg has them, fs/proc/loadavg.c.
func shown(a averages) string {
	var text string
	for _, load := range a {
		load += fixedOne / 200
		text += fmt.Sprintf(" %d.%02d", load>>loadShift, (load&(fixedOne-1))*100>>loadShift)
	}
	return text[1:]
}

// What was seen of a container 37 s old was "7.00 8.51 8.83", of eight loops of
// 4 s "8.00 8.00 8.00". The figures are n * (1 - exp(-age / 1, 5, 15 min)), of whole periods of
// 5 s and in the kernel's rounding.
func TestAged(t *testing.T) {
	for _, test := range []struct {
		age    time.Duration
		active uint64
		want   string
	}{
		{0, 9, "0.00 0.00 0.00"},
		{4 * time.Second, 8, "0.00 0.00 0.00"},
		{5 * time.Second, 8, "0.64 0.13 0.04"},
		{37 * time.Second, 9, "3.99 0.99 0.33"},
		{time.Minute, 1, "0.63 0.18 0.06"},
		{5 * time.Minute, 1, "0.99 0.63 0.28"},
		{time.Hour, 2, "2.00 2.00 1.96"},
		{100 * 24 * time.Hour, 3, "3.00 3.00 3.00"},
		{-time.Second, 3, "0.00 0.00 0.00"},
		{time.Hour, 0, "0.00 0.00 0.00"},
	} {
		if got := shown(aged(test.age, test.active)); got != test.want {
			t.Errorf("%d tasks for %v: got %s, want %s", test.active, test.age, got, test.want)
		}
	}
}

// Many periods at once are the same as one after the other, but for rounding, and
// both follow the exponential function.
func TestAfter(t *testing.T) {
	for _, start := range []averages{{}, {20 * fixedOne, 7 * fixedOne, fixedOne}} {
		one := start
		for n := range uint64(400) {
			many := start.after(n, 5)
			for i, minutes := range []float64{1, 5, 15} {
				exact := 5 + (float64(start[i])/fixedOne-5)*math.Exp(-float64(n)*5/60/minutes)
				for _, got := range []uint64{one[i], many[i]} {
					if f := float64(got) / fixedOne; math.Abs(f-exact) > 0.15 {
						t.Fatalf("from %v, %d periods: %.2f min average %.3f, want %.3f", start, n, minutes, f, exact)
					}
				}
			}
			one = one.after(1, 5)
		}
	}
}
