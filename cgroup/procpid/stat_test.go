package procpid

import (
	"errors"
	"strings"
	"testing"
)

func TestParseStat(t *testing.T) {
	const rest = " S 1 1 1 0 -1 4194560 1 1 0 0 1 1 1 1 20 0 3 0 4242 5 5"
	replaced := func(old, new string) string { return "77 (sh)" + strings.Replace(rest, old, new, 1) }
	want := Stat{'S', false, 3, 4242}
	for _, tt := range []struct {
		name, in string
		want     Stat
		bad      bool
	}{
		{"plain", "77 (sh)" + rest + "\n", want, false},
		{"parentheses, spaces, a newline", "77 (a) R 1 (b\n) S 9 9)" + rest + "\n", want, false},
		{"exiting", replaced("4194560", "4194564"), Stat{'S', true, 3, 4242}, false},
		{"running, one thread", strings.Replace(replaced(" 3 0 4242", " 1 0 4242"), " S ", " R ", 1), Stat{'R', false, 1, 4242}, false},
		{"garbage flags", replaced("4194560", "x"), Stat{}, true},
		{"garbage threads", replaced(" 3 0 4242", " x 0 4242"), Stat{}, true},
		{"empty comm", "77 ()" + rest, want, false},
		{"last field", "77 (sh)" + strings.TrimSuffix(rest, " 5 5"), want, false},
		{"garbage where nobody looks", replaced("5 5", "x x"), want, false},
		{"cut", "77 (sh) S 1 1 1", Stat{}, true},
		{"no comm", "77 sh" + rest, Stat{}, true},
		{"empty", "", Stat{}, true},
		{"negative", replaced("4242", "-1"), Stat{}, true},
		{"overflow", replaced("4242", "18446744073709551616"), Stat{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseStat([]byte(tt.in))
			if got != tt.want || errors.Is(err, ErrFormat) != tt.bad || (err != nil) != tt.bad {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
	in := []byte("77 (sh)" + rest)
	if n := testing.AllocsPerRun(100, func() { _, _ = ParseStat(in) }); n > 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("77 (a) R (b) S 1 1 1 0 -1 4194560 1 1 0 0 1 1 1 1 20 0 1 0 4242 5 5\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		want, err := ParseStat(in)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("got %v, want ErrFormat", err)
			}
			return
		}
		// Whatever stands in comm makes no difference.
		got, err := ParseStat(append([]byte("1 (x) S 1 (\n"), in...))
		if got != want || err != nil {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	})
}
