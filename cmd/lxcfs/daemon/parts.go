package daemon

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/fdstore"
	"linuxcontainers.org/lxcfs/units/mount"
)

// parts are the descriptors of one connection; -1 is one that is not there. In
// the store they are called KIND-ID, such as "journal-7".
type parts struct {
	fuse, journal, accounts, origin int

	served bool // by an earlier process: INIT is answered
}

// noParts has none.
func noParts() parts { return parts{fuse: -1, journal: -1, accounts: -1, origin: -1} }

// freshParts is a new connection.
func freshParts(fuse int) parts {
	p := noParts()
	p.fuse = fuse
	return p
}

// kinds are the first words of the names in the store.
func kinds() []string { return []string{"fuse", "journal", "acct", "origin"} }

// of returns the descriptor of a kind.
func (p *parts) of(kind string) *int {
	switch kind {
	case "fuse":
		return &p.fuse
	case "journal":
		return &p.journal
	case "acct":
		return &p.accounts
	}
	return &p.origin
}

// unusable is a descriptor that is of no use, and why.
type unusable struct {
	name, reason string
}

// inventory is what a process was given, by what it is for.
type inventory struct {
	listener    int // -1: none
	connections map[string]parts
	unusable    []unusable
}

// takeInventory sorts descriptors. Those that belong to no connection are
// closed, and reported as unusable: nothing is guessed. A connection without a
// journal is kept, for readers wait on it; one that is gone is not.
func takeInventory(files []fdstore.File) inventory {
	inv := inventory{listener: -1, connections: make(map[string]parts)}
	twice := make(map[string]bool)
	for _, f := range files {
		if f.Name == mount.SocketName && inv.listener < 0 {
			inv.listener = f.FD
			continue
		}
		kind, id, _ := strings.Cut(f.Name, "-")
		if !slices.Contains(kinds(), kind) || !validID(id) {
			inv.reject(f.FD, f.Name, "the name is not one of ours")
			continue
		}
		p, known := inv.connections[id]
		if !known {
			p = noParts()
			p.served = true
		}
		place := p.of(kind)
		if *place >= 0 {
			twice[id] = true
			unix.Close(f.FD)
			continue
		}
		*place = f.FD
		inv.connections[id] = p
	}
	for id, p := range inv.connections {
		if reason := p.unfit(twice[id]); reason != "" {
			delete(inv.connections, id)
			inv.rejectAll(id, p, reason)
		}
	}
	return inv
}

// unfit says why these parts are no connection; "" if they are.
func (p parts) unfit(twice bool) string {
	if p.fuse < 0 {
		return "its connection is not there"
	}
	if twice {
		return "there are two of a name, and no telling which belongs to the others"
	}
	if err := mount.CheckConnection(p.fuse); err != nil {
		return err.Error()
	}
	return ""
}

func (inv *inventory) reject(fd int, name, reason string) {
	unix.Close(fd)
	inv.unusable = append(inv.unusable, unusable{name, reason})
}

// rejectAll rejects all parts of a connection.
func (inv *inventory) rejectAll(id string, p parts, reason string) {
	for _, kind := range kinds() {
		if fd := *p.of(kind); fd >= 0 {
			inv.reject(fd, kind+"-"+id, reason)
		}
	}
}

// validID says whether a connection can have that id: a decimal number.
func validID(id string) bool {
	n, err := strconv.ParseUint(id, 10, 32)
	return err == nil && strconv.FormatUint(n, 10) == id
}

// names lists the names of a connection's parts that are there.
func (p parts) names(id string) []string {
	var names []string
	for _, kind := range kinds() {
		if *p.of(kind) >= 0 {
			names = append(names, kind+"-"+id)
		}
	}
	return names
}

// partsOf picks the descriptors of one connection.
func partsOf(f process.Files, id string) parts {
	p := noParts()
	for _, kind := range kinds() {
		if fd, ok := f[kind+"-"+id]; ok {
			*p.of(kind) = fd
		}
	}
	p.served = p.journal >= 0
	return p
}

// files lists the descriptors of all connections.
func (s *server) files() process.Files {
	files := make(process.Files)
	for _, c := range s.connections() {
		p := c.parts()
		for _, kind := range kinds() {
			files[kind+"-"+c.id] = *p.of(kind)
		}
	}
	return files
}
