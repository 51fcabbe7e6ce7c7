package cgroup

// Entry is one line of /proc/PID/cgroup.
type Entry struct {
	// Controllers of a v1 hierarchy; a named one is "name=systemd" verbatim.
	// Nil for v2.
	Controllers []string
	// Path is the cgroup, seen from the root of the reader's cgroup namespace.
	Path string
	// Deleted: the cgroup was removed (v2 only; " (deleted)" is not in Path).
	Deleted bool
}

// Membership is the parsed /proc/PID/cgroup: the cgroups of one process, one
// for each hierarchy.
type Membership []Entry

// ParseMembership parses the content of /proc/PID/cgroup, cgroups(7).
func ParseMembership(content []byte) (Membership, error) { return nil, nil }

// Path returns the path in the hierarchy of a v1 controller ("memory",
// "name=systemd"), or for "" in the v2 hierarchy.
func (m Membership) Path(controller string) (string, bool) { return "", false }
