package cgroup

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
	// Machine is the machine that systemd-nspawn runs in the unit; else "".
	Machine string
	// Path is the cgroup of User if there is one, else of Name.
	Path string
}

// UnitOf returns the unit that a cgroup path is in; the zero Unit when it is in
// none.
func UnitOf(path string) Unit { return Unit{} }

// Escape escapes a string for use in a unit name, as systemd-escape(1) does.
func Escape(s string) string { return s }

// Unescape is the inverse of [Escape]; a \x that is no escape stays as it is.
func Unescape(s string) string { return s }
