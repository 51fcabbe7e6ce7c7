package cgroup

import (
	"io/fs"
	"testing"
)

func TestReadPressure(t *testing.T) {
	v2, _ := captured(t, "v2")
	hybrid, _ := captured(t, "v1")
	const want = "some avg10=13.81 avg60=8.55 avg300=2.60 total=15383614\n"
	if got, _, err := v2.ReadPressure([]byte("x"), on(t, "/lxc/c1"), "cpu"); string(got) != "x"+want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, "x"+want)
	}
	if got, _, err := hybrid.ReadPressure(nil, on(t, "/lxc/c1"), "cpu"); len(got) == 0 || err != nil {
		t.Errorf("hybrid: got %q, %v", got, err)
	}
	for _, tt := range []struct{ name, path, resource string }{
		{"no CONFIG_PSI", "/lxc/c1", "io"}, {"root is the host", "/", "cpu"},
		{"other resource", "/lxc/c1", "../cpu"}, {"no resource", "/lxc/c1", ""}, {"gone", "/gone", "cpu"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := v2.ReadPressure([]byte("x"), on(t, tt.path), tt.resource)
			if string(got) != "x" {
				t.Errorf("got %q, want dst as it was", got)
			}
			mustBe(t, err, fs.ErrNotExist)
		})
	}
}

func TestParsePressure(t *testing.T) {
	const some = "some avg10=13.81 avg60=8.55 avg300=100.00 total=15383614\n"
	line := PressureLine{Avg10: 1381, Avg60: 855, Avg300: 10000, TotalUsec: 15383614}
	tests := []struct {
		name, in string
		want     Pressure
		bad      bool
	}{
		{"some", some, Pressure{Some: line, HasSome: true}, false},
		{"both", some + "full avg10=0.01 avg60=0.00 avg300=0.00 total=7\n",
			Pressure{Some: line, Full: PressureLine{Avg10: 1, TotalUsec: 7}, HasSome: true, HasFull: true}, false},
		{"unknown key", "full total=7 new=x\n", Pressure{Full: PressureLine{TotalUsec: 7}, HasFull: true}, false},
		{"empty", "", Pressure{}, false},
		{"unknown line", "most total=7\n", Pressure{}, true},
		{"not a pair", "some total\n", Pressure{}, true},
		{"one digit", "some avg10=1.0 total=7\n", Pressure{}, true},
		{"no point", "some avg10=100\n", Pressure{}, true},
		{"above 100", "some avg10=101.00\n", Pressure{}, true},
		{"negative", "some total=-1\n", Pressure{}, true},
		{"truncated", "some total=7", Pressure{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParsePressure([]byte(tt.in))
			if (err != nil) != tt.bad || !tt.bad && got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
			if tt.bad {
				mustBe(t, err, ErrFormat)
			}
		})
	}
}

func FuzzParsePressure(f *testing.F) {
	f.Add([]byte("some avg10=13.81 avg60=8.55 avg300=2.60 total=15383614\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParsePressure(b); err == nil && max(p.Some.Avg10, p.Full.Avg300) > 10099 {
			t.Errorf("got %+v", p)
		}
	})
}
