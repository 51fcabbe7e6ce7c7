package escape

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"lxc/web-1.example":              "lxc/web-1.example",
		"größe 大":                        "größe 大",
		"\ufffd":                         "\ufffd",
		`dev-disk-by\x2duuid.device`:     `dev-disk-by\\x2duuid.device`,
		"web\x1b[2J":                     `web\033[2J`,
		"a\nlxc/other: 17 attached":      `a\nlxc/other: 17 attached`,
		"\a\b\f\r\t\v\x00\x7f":           `\a\b\f\r\t\v\000\177`,
		"\xff\xc3":                       `\377\303`,
		"\u0085\u009b31m":                `\302\205\302\23331m`,
		"\u202egnp.exe\u2066\ufeff":      `\342\200\256gnp.exe\342\201\246\357\273\277`,
		"\u2028line\u00a0no-break\u200b": `\342\200\250line\302\240no-break\342\200\213`,
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Nothing that is not printed gets through, and nothing is lost.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"web", "\x1b]0;x\a", "\xff\\377", "\u202e", "a\\nb\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := Text(in)
		if !utf8.ValidString(out) || strings.ContainsFunc(out, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q: %q is not for a terminal", in, out)
		}
		if back, err := strconv.Unquote(`"` + strings.ReplaceAll(out, `"`, `\"`) + `"`); err != nil || back != in {
			t.Errorf("%q: %q means %q, %v", in, out, back, err)
		}
	})
}
