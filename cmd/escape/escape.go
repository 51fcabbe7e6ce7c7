package escape

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s with all that is not printed as a character of its own escaped as
// by "ls -b", but for the space: \n and the like, a backslash as two, and each byte
// of anything else (controls, what changes the direction of text, what is not UTF-8)
// as three octal digits. No two strings are shown alike, and there is no newline.
//
//	web\033[2J\nlxc/other: 17 attached
func Text(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch short := shorthand(r); {
		case short != "":
			b.WriteString(short)
		case printed(r, size):
			b.WriteString(s[:size])
		default:
			for i := range size {
				fmt.Fprintf(&b, `\%03o`, s[i])
			}
		}
		s = s[size:]
	}
	return b.String()
}

// plain: Text has nothing to do.
func plain(s string) bool {
	for i, r := range s {
		if r == '\\' || !unicode.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

func printed(r rune, size int) bool {
	return unicode.IsPrint(r) && (r != utf8.RuneError || size > 1)
}

// shorthand is the escape sequence that C has for a character; "" for none.
func shorthand(r rune) string {
	const named = "\a\b\f\n\r\t\v\\"
	if i := strings.IndexRune(named, r); r < utf8.RuneSelf && i >= 0 {
		return `\` + `abfnrtv\`[i:i+1]
	}
	return ""
}
