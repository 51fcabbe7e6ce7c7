package cgroup

import (
	"strconv"
	"strings"
)

// Unit is what a cgroup path says by systemd's naming rules. It is a claim:
// below a delegated cgroup the owner chooses the names.
type Unit struct {
	// Slice is the slice right above Name ("user-1000.slice"), "-.slice" for
	// the root.
	Slice string
	// Name is the system manager's unit, "foo.service" or "session-3.scope".
	Name string
	// User is the user manager's unit below user@UID.service; else "".
	User string
	// Machine is the machine that systemd-machined knows by the unit, the NAME
	// of machine-NAME.scope and systemd-nspawn@NAME.service, unescaped; else "".
	Machine string
	// Path is the cgroup of User if there is one, else of Name: the innermost
	// unit that systemd itself made.
	Path string
}

// UnitOf returns the unit that a cgroup path is in; the zero Unit when it is in
// none:
//
//	/system.slice/cron.service
//	/user.slice/user-1000.slice/user@1000.service/app.slice/foot.scope
//	/machine.slice/machine-a\x2db.scope/payload/system.slice/ssh.service
//
// As systemd does (src/basic/cgroup-util.c), it skips slices and takes what
// comes then, if it is a unit's name: what is below is the unit's own affair. So
// the third is machine-a\x2db.scope. A component that systemd made with a
// leading '_', since it would else be taken for a kernel file, is named without.
func UnitOf(path string) Unit {
	slice, name, end := firstUnit(path, 0)
	if name == "" {
		return Unit{}
	}
	u := Unit{Slice: slice, Name: name, Path: path[:end], Machine: machineOf(name)}
	uid, ok := between(name, "user@", ".service")
	if _, err := strconv.ParseUint(uid, 10, 32); ok && err == nil {
		if _, user, userEnd := firstUnit(path, end); user != "" {
			u.User, u.Path = user, path[:userEnd]
		}
	}
	return u
}

// firstUnit skips the slices of path from index at on, which is that of a '/'.
// It returns the last of them, and the unit after them with the index of its
// end.
func firstUnit(path string, at int) (slice, name string, end int) {
	slice = "-.slice"
	for at < len(path) && path[at] == '/' {
		end = len(path)
		if i := strings.IndexByte(path[at+1:], '/'); i >= 0 {
			end = at + 1 + i
		}
		component := strings.TrimPrefix(path[at+1:end], "_")
		switch kind := unitType(component); kind {
		case "slice":
			slice = component
		case "":
			return "", "", 0
		default:
			return slice, component, end
		}
		at = end
	}
	return "", "", 0
}

// unitType returns the type of a unit that has cgroups, systemd.unit(5); "" for
// what is no such unit.
func unitType(name string) string {
	const maxLength = 255
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || len(name) > maxLength {
		return ""
	}
	for _, c := range []byte(name) {
		if !plain(c) && c != '-' && c != '\\' && c != '@' {
			return ""
		}
	}
	switch t := name[dot+1:]; t {
	case "slice", "service", "scope", "socket", "mount", "swap":
		return t
	}
	return ""
}

// machineOf keeps '-': a machine's name has no '/', and systemd-nspawn@.service
// takes its instance (%i) as it is.
func machineOf(unit string) string {
	name, ok := between(unit, "machine-", ".scope")
	if !ok {
		name, _ = between(unit, "systemd-nspawn@", ".service")
	}
	return unescape(name, '-')
}

// between returns what is between a prefix and a suffix, if it is not empty.
func between(s, prefix, suffix string) (string, bool) {
	s, ok1 := strings.CutPrefix(s, prefix)
	s, ok2 := strings.CutSuffix(s, suffix)
	if !ok1 || !ok2 || s == "" {
		return "", false
	}
	return s, true
}

// plain reports whether a byte stands for itself in an escaped string.
func plain(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == ':' || c == '_' || c == '.'
}

// Escape escapes a string for use in a unit name, as systemd-escape(1) does:
// '/' becomes '-', and what is not a letter, a digit or one of ":_." becomes
// \xNN, as does a '.' at the beginning.
func Escape(s string) string {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(s))
	for i, c := range []byte(s) {
		switch {
		case c == '/':
			out = append(out, '-')
		case plain(c) && (i > 0 || c != '.'):
			out = append(out, c)
		default:
			out = append(out, '\\', 'x', hex[c>>4], hex[c&15])
		}
	}
	return string(out)
}

// Unescape is the inverse of [Escape]; a backslash that begins no \xNN stays.
func Unescape(s string) string { return unescape(s, '/') }

// unescape replaces \xNN, and '-' by dash.
func unescape(s string, dash byte) string {
	if !strings.ContainsAny(s, `\-`) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '-' {
			c = dash
		} else if i+3 < len(s) && s[i:i+2] == `\x` {
			if v, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
				c = byte(v)
				i += 3
			}
		}
		out = append(out, c)
	}
	return string(out)
}
