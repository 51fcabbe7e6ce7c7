package cgroup

import (
	"slices"
	"testing"
)

func TestParseCPUList(t *testing.T) {
	tests := []struct {
		name, in, want string
		count          int
		bad            bool
	}{
		{"one", "0\n", "0", 1, false},
		{"range", "0-3\n", "0-3", 4, false},
		{"gaps", "0-3,8,10-11\n", "0-3,8,10-11", 7, false},
		{"word ends", "62-65,127,128\n", "62-65,127-128", 6, false},
		{"no newline", "1", "1", 1, false},
		{"empty", "", "", 0, false},
		{"empty line", "\n", "", 0, false},
		{"4096", "0-4095\n", "0-4095", 4096, false},
		{"all", "0-8191\n", "0-8191", 8192, false},
		{"unordered and overlapping", "5,1-2,2-3\n", "1-3,5", 4, false},
		{"one too many", "0-8192\n", "", 0, true},
		{"huge", "0-18446744073709551615\n", "", 0, true},
		{"overflow", "18446744073709551616\n", "", 0, true},
		{"backwards", "3-1\n", "", 0, true},
		{"open", "3-\n", "", 0, true},
		{"negative", "-1\n", "", 0, true},
		{"two dashes", "1-2-3\n", "", 0, true},
		{"comma at the end", "1,\n", "", 0, true},
		{"only a comma", ",\n", "", 0, true},
		{"blank", "1, 2\n", "", 0, true},
		{"CRLF", "1\r\n", "", 0, true},
		{"two lines", "1\n2\n", "", 0, true},
		{"garbage", "all\n", "", 0, true},
		{"stride", "0-7:1/2\n", "", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseCPUList([]byte(tt.in))
			if got.String() != tt.want || got.Count() != tt.count || (err != nil) != tt.bad {
				t.Errorf("got %q (%d), %v, want %q (%d)", got, got.Count(), err, tt.want, tt.count)
			}
			if tt.bad {
				mustBe(t, err, ErrFormat)
			}
		})
	}
}

func TestCPUSet(t *testing.T) {
	s := CPUSetOf(1, 3, 63, 64, 200, -1, MaxCPUs)
	if got, want := slices.Collect(s.All()), []int{1, 3, 63, 64, 200}; !slices.Equal(got, want) {
		t.Errorf("All: got %v, want %v", got, want)
	}
	for range s.All() {
		break
	}
	for n, want := range []string{"", "1", "1,3", "1,3,63", "1,3,63-64", "1,3,63-64,200", "1,3,63-64,200"} {
		if got := s.First(n); got.String() != want {
			t.Errorf("First(%d): got %q, want %q", n, got, want)
		}
	}
	if got := s.First(-1); !got.Empty() {
		t.Errorf("First(-1): got %q", got)
	}
	if s.Last() != 200 || CPUSet(nil).Last() != -1 || !(CPUSet{0, 0}).Empty() || s.Empty() {
		t.Errorf("Last: got %d", s.Last())
	}
	if s.Has(-1) || s.Has(2) || !s.Has(64) || s.Has(100000) {
		t.Error("Has")
	}
	o := CPUSetOf(3, 64, 65)
	if got := s.And(o).String(); got != "3,64" {
		t.Errorf("And: got %q", got)
	}
	if got := s.AndNot(o).String(); got != "1,63,200" {
		t.Errorf("AndNot: got %q", got)
	}
	if got := o.AndNot(s).String(); got != "65" {
		t.Errorf("AndNot: got %q", got)
	}
	if s.String() != "1,3,63-64,200" {
		t.Errorf("changed: %q", s)
	}
	if !(CPUSet{1, 0}).Equal(CPUSet{1}) || !(CPUSet{1}).Equal(CPUSet{1, 0}) || s.Equal(o) || (CPUSet{1}).Equal(CPUSet{1, 1}) {
		t.Error("Equal")
	}
	if got := string(o.AppendList([]byte("x,"))); got != "x,3,64-65" {
		t.Errorf("AppendList: got %q", got)
	}
}

func FuzzParseCPUList(f *testing.F) {
	for _, s := range []string{"0-3,8\n", "0-4095", "", "3-1", "62-65,128\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseCPUList(b)
		if err != nil {
			return
		}
		again, err := ParseCPUList(s.AppendList(nil))
		if err != nil || !again.Equal(s) || s.Last() >= MaxCPUs || s.Count() != len(slices.Collect(s.All())) {
			t.Errorf("got %q, then %q, %v", s, again, err)
		}
		for _, n := range []int{0, 1, 5, s.Count()} {
			if first := s.First(n); first.Count() != min(n, s.Count()) || !first.And(s).Equal(first) {
				t.Errorf("First(%d) of %q: got %q", n, s, first)
			}
		}
	})
}
