package mount

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// FSType is the type of an lxcfs mount, as given to mount(8) and shown in
// /proc/self/mountinfo.
const FSType = "fuse.lxcfs"

// Entry is one line of /proc/self/mountinfo.
type Entry struct {
	// ID and Parent are mount IDs; the parent of the root mount is itself or
	// not listed.
	ID, Parent int
	// Major and Minor are st_dev of the filesystem. The minor of a FUSE mount
	// (major 0) is its connection number below /sys/fs/fuse/connections.
	Major, Minor uint32
	// Root is the directory of the filesystem that is mounted: "/" for a whole
	// filesystem, another one for a bind mount or a subvolume.
	Root string
	// MountPoint is absolute, relative to the process's root; escapes decoded.
	MountPoint string
	// Shared is the mount's peer group, a number of the whole machine; 0 for a
	// mount that is not shared.
	Shared int
	// FSType is "type" or "type.subtype".
	FSType string
}

// Ours reports whether the entry is an lxcfs mount, of this or of another
// implementation.
func (e Entry) Ours() bool { return e.FSType == FSType }

// Table is the mounts of a mount namespace, in the kernel's order.
type Table []Entry

// ReadTable reads /proc/self/mountinfo; what no path reaches is left out.
func ReadTable(fsys hostfile.FS) (Table, error) {
	table, err := ReadFile(fsys, "/proc/self/mountinfo")
	return table.Reachable(), err
}

// ReadFile reads a mountinfo file.
func ReadFile(fsys hostfile.FS, name string) (Table, error) {
	content, err := fsys.Append(nil, name)
	if err != nil {
		return nil, err
	}
	table, err := ParseTable(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return table, nil
}

// ParseTable parses the content of a mountinfo file.
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
//	151 23 0:52 / /var/lib/lxcfs rw,nosuid,nodev,noexec,relatime shared:93 - fuse.lxcfs lxcfs rw,user_id=0,group_id=0
//
// A line of another form is an error: a table with a mount missing would allow a
// decision that must not be made.
func ParseTable(content []byte) (Table, error) {
	var table Table
	for line := range bytes.Lines(content) {
		m, err := procpid.ParseMount(line)
		if err == nil && m.Options == nil {
			err = fmt.Errorf("%w: cut off: %q", procpid.ErrFormat, line)
		}
		shared, err2 := m.PeerGroup()
		if err = cmp.Or(err, err2); err != nil {
			return nil, err
		}
		table = append(table, Entry{m.ID, m.Parent, m.Major, m.Minor, m.Root.String(), m.Point.String(), shared, m.FSType.String()})
	}
	return table, nil
}

// At returns the topmost mount whose mountpoint is exactly path, which must be
// absolute and clean. Who asks more than once makes an [Index].
func (t Table) At(path string) (top Entry, found bool) {
	var stack []Entry
	for _, e := range t {
		if e.MountPoint == path {
			stack = append(stack, e)
		}
	}
	return topmost(stack)
}

// topmost returns the mount of a stack, in the kernel's order, that no other of
// it is mounted on.
func topmost(stack []Entry) (top Entry, found bool) {
	below := make(map[int]bool, len(stack))
	for _, e := range stack {
		if e.ID != e.Parent {
			below[e.Parent] = true
		}
	}
	for _, e := range stack {
		if !below[e.ID] {
			top, found = e, true
		}
	}
	return top, found
}

// Index answers questions about a Table, each in time that does not grow with it:
// how many mounts there are is a container's choice.
type Index struct {
	top  map[string]Entry // by mountpoint
	byID map[int]Entry
}

// Index returns the Table's.
func (t Table) Index() Index {
	x := Index{top: make(map[string]Entry, len(t)), byID: make(map[int]Entry, len(t))}
	stacks := make(map[string][]Entry)
	for _, e := range t {
		x.byID[e.ID] = e
		stacks[e.MountPoint] = append(stacks[e.MountPoint], e)
	}
	for path, stack := range stacks {
		if top, ok := topmost(stack); ok {
			x.top[path] = top
		}
	}
	return x
}

// At returns the topmost mount at a path, as [Table.At].
func (x Index) At(path string) (Entry, bool) {
	e, ok := x.top[path]
	return e, ok
}

// ByID returns the mount with an ID.
func (x Index) ByID(id int) (Entry, bool) {
	e, ok := x.byID[id]
	return e, ok
}

// Stack returns the mounts at a path that are mounted on each other, the topmost
// first. It ends, whatever the table says: of one that was read while mounts came
// and went, with their numbers used again, two may be on each other.
func (x Index) Stack(path string) []Entry {
	var stack []Entry
	seen := make(map[int]bool)
	for e, ok := x.top[path]; ok && e.MountPoint == path && !seen[e.ID]; e, ok = x.byID[e.Parent] {
		seen[e.ID] = true
		stack = append(stack, e)
	}
	return stack
}

// Reachable returns the mounts that a path leads to. One that was mounted
// before another on a directory above it is covered, with all that is mounted
// in it, and is still listed by the kernel. Of mounts stacked on one directory
// all count as reachable: unmounting the top lays the next one open.
func (t Table) Reachable() Table {
	byID := make(map[int]Entry, len(t))
	inside := make(map[int]map[string]bool) // mountpoints by parent
	for _, e := range t {
		byID[e.ID] = e
		if e.ID == e.Parent {
			continue
		}
		if inside[e.Parent] == nil {
			inside[e.Parent] = make(map[string]bool)
		}
		inside[e.Parent][e.MountPoint] = true
	}
	hidden := make(map[int]bool)
	var isHidden func(e Entry) bool
	isHidden = func(e Entry) bool {
		if h, known := hidden[e.ID]; known {
			return h
		}
		hidden[e.ID] = false // also for a parent that is its own descendant, which no kernel says
		parent, listed := byID[e.Parent]
		h := covered(e.MountPoint, inside[e.Parent]) || listed && isHidden(parent)
		hidden[e.ID] = h
		return h
	}
	var reachable Table
	for _, e := range t {
		if !isHidden(e) {
			reachable = append(reachable, e)
		}
	}
	return reachable
}

// covered: one of the mountpoints, all in the same mount, is a directory above
// the path. Paths are a container's, as deep as it likes: nothing is copied.
func covered(name string, mountpoints map[string]bool) bool {
	if len(mountpoints) < 2 { // its own alone
		return false
	}
	for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name, '/') {
		if name = name[:i]; mountpoints[name] {
			return true
		}
	}
	return name != "/" && mountpoints["/"]
}

// Ours returns the lxcfs mounts.
func (t Table) Ours() []Entry {
	var ours []Entry
	for _, e := range t {
		if e.Ours() {
			ours = append(ours, e)
		}
	}
	return ours
}

// PeerGroups returns the peer groups of all mounts.
func (t Table) PeerGroups() map[int]bool {
	groups := make(map[int]bool)
	for _, e := range t {
		if e.Shared != 0 {
			groups[e.Shared] = true
		}
	}
	return groups
}
