package cgroup

import (
	"fmt"
	"testing"
)

func TestReadCPUList(t *testing.T) {
	h, a := captured(t, "v2")
	const name = "/sys/devices/system/cpu/online"
	for _, list := range []string{"0-3,8", "0", "", "0-3,8", "70"} {
		a.Files[name] = list + "\n"
		got, err := h.ReadCPUList(name)
		if err != nil || got.String() != list {
			t.Errorf("%q: got %q, %v", list, got, err)
		}
	}
	a.Files[name] = "garbage\n"
	mustBe(t, second(h.ReadCPUList(name)), ErrFormat)
	for i := range 2 * maxLists {
		if s, err := h.lists.parse(fmt.Appendf(nil, "%d\n", i)); err != nil || s.Last() != i || s.Count() != 1 {
			t.Fatalf("%d: got %q, %v", i, s, err)
		}
	}
	if n := len(h.lists.sets); n > maxLists {
		t.Errorf("%d sets kept", n)
	}
}

func TestWithin(t *testing.T) {
	for _, tt := range []struct {
		a, b CPUSet
		want bool
	}{
		{nil, nil, true},
		{CPUSetOf(1), nil, false},
		{nil, CPUSetOf(1), true},
		{CPUSetOf(1, 70), CPUSetOf(0, 1, 70), true},
		{CPUSetOf(1, 70), CPUSetOf(0, 1), false},
		{CPUSetOf(2), CPUSetOf(0, 1, 70), false},
		{CPUSet{1, 0}, CPUSetOf(0), true},
	} {
		if got := tt.a.Within(tt.b); got != tt.want {
			t.Errorf("%q within %q: got %v", tt.a, tt.b, got)
		}
	}
}
