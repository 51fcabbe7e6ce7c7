package cgroup

import (
	"bytes"
	"slices"
	"strings"
)

// Entry is one line of /proc/PID/cgroup.
type Entry struct {
	// Controllers of a v1 hierarchy; a named one is "name=systemd" verbatim.
	// Nil for v2.
	Controllers []string
	// Path is the cgroup, seen from the root of the reader's cgroup namespace.
	Path string
}

// Membership is the parsed /proc/PID/cgroup: the cgroups of one process, one
// for each hierarchy.
type Membership []Entry

// ParseMembership parses the content of /proc/PID/cgroup, cgroups(7):
//
//	5:cpuacct,cpu:/lxc/c1
//	1:name=systemd:/system.slice/cron.service
//	0::/system.slice/cron.service
//
// The path is as mkdir(2) got it: it may hold ':', '\\' and spaces, but no
// newline. Line 0 is v2; " (deleted)" follows the path of a removed cgroup, where
// only zombies are: it is left there, for a living process is in one whose name
// ends so, and of a removed one there is nothing to be found by any name. The file of
// a task that is gone may be empty: the membership then is too.
func ParseMembership(content []byte) (Membership, error) {
	m := make(Membership, 0, bytes.Count(content, []byte("\n")))
	for len(content) > 0 {
		line, rest, terminated := cutLine(content)
		e, ok := parseEntry(line)
		if !ok || !terminated {
			return nil, formatError(line)
		}
		m = append(m, e)
		content = rest
	}
	return m, nil
}

func parseEntry(line []byte) (e Entry, ok bool) {
	id, rest, ok1 := bytes.Cut(line, []byte(":"))
	list, path, ok2 := bytes.Cut(rest, []byte(":"))
	number, ok3 := parseDigits(id)
	if !ok1 || !ok2 || !ok3 || len(path) == 0 || path[0] != '/' || bytes.IndexByte(path, 0) >= 0 {
		return e, false
	}
	if number != 0 {
		return Entry{Controllers: strings.Split(string(list), ","), Path: string(path)}, len(list) > 0
	}
	return Entry{Path: string(path)}, len(list) == 0
}

// Path returns the path in the hierarchy of a v1 controller ("memory",
// "name=systemd"), or for "" in the v2 hierarchy.
func (m Membership) Path(controller string) (string, bool) {
	if e := m.entry(controller); e != nil {
		return e.Path, true
	}
	return "", false
}

func (m Membership) entry(controller string) *Entry {
	for i := range m {
		if controller == "" && m[i].Controllers == nil || slices.Contains(m[i].Controllers, controller) {
			return &m[i]
		}
	}
	return nil
}
