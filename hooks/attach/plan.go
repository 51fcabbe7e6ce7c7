package attach

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"linuxcontainers.org/lxcfs/units/mount"
)

// device is st_dev of a filesystem, as mountinfo shows it.
type device struct{ major, minor uint32 }

func deviceOf(e mount.Entry) device { return device{e.Major, e.Minor} }

// planner is all that a plan depends on.
type planner struct {
	request Request
	// hostGroups are the peer groups of the host's mounts.
	hostGroups map[int]bool
	// table is the mounts of the container that a path leads to, and index is of it.
	table mount.Table
	index mount.Index
	// tree is the device of the lxcfs that is to be attached, and served what is
	// bound of it; both zero for a detach.
	tree   device
	served []string
	// dead asks whether the lxcfs mount on top at a path is dead.
	dead  func(mountpoint string) (bool, error)
	asked map[device]bool // what it said
	// lacks says why nothing can be bound at a path, "" if it can.
	lacks func(path string) string
}

// ErrShared is returned, wrapped, when what is mounted in the container would
// appear on the host, too.
var ErrShared = errors.New("its mounts are shared with the host's")

// plan decides about each path, and fails when one must not be touched.
func (s *planner) plan() ([]Change, error) {
	decide := s.attach
	if s.request.Detach {
		decide = s.detach
	}
	changes, err := decide()
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		if err := s.shared(c); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// shared refuses a change that would propagate to the host.
func (s *planner) shared(c Change) error {
	if c.Action == Keep || c.Action == Skip {
		return nil
	}
	holder, _ := s.holder(c.Path)
	if s.hostGroups[holder.Shared] {
		return fmt.Errorf("%s: %w", c.Path, ErrShared)
	}
	return nil
}

// holder is the mount that a mount at name is, or would be, attached to: the
// one below all of lxcfs that are stacked there.
func (s *planner) holder(name string) (mount.Entry, bool) {
	for at := name; ; at = path.Dir(at) {
		for _, e := range s.index.Stack(at) {
			if at != name || !e.Ours() {
				return e, true
			}
		}
		if at == "/" {
			return mount.Entry{}, false
		}
	}
}

// outer is the innermost mount on a directory above a path.
func (s *planner) outer(name string) (mount.Entry, bool) {
	for at := name; at != "/"; {
		at = path.Dir(at)
		if e, ok := s.index.At(at); ok {
			return e, true
		}
	}
	return mount.Entry{}, false
}

// behind is a FUSE mount, other than the root, on a directory above a path.
// Somebody of the container's may serve it, and who looks for a name in there
// waits for him, beyond a SIGKILL.
func (s *planner) behind(name string) (mount.Entry, bool) {
	for e, ok := s.outer(name); ok && e.MountPoint != "/"; e, ok = s.outer(e.MountPoint) {
		if strings.HasPrefix(e.FSType, "fuse") {
			return e, true
		}
	}
	return mount.Entry{}, false
}

// kernelFile: the path is below /proc or /sys, where files are bound one by one.
func kernelFile(name string) bool {
	return strings.HasPrefix(name, "/proc/") || strings.HasPrefix(name, "/sys/")
}

// mountpoints lists where an lxcfs mount is on top, outer ones first.
func (s *planner) mountpoints() []string {
	var points []string
	for _, e := range s.table.Ours() {
		if top, ok := s.index.At(e.MountPoint); ok && top.Ours() {
			points = append(points, e.MountPoint)
		}
	}
	slices.Sort(points)
	return slices.Compact(points)
}

func (s *planner) detach() ([]Change, error) {
	var changes []Change
	for _, point := range s.mountpoints() {
		if _, ok := s.behind(point); ok || !kernelFile(point) {
			continue // for containers in this one, or not to be reached without asking it
		}
		c := Change{Path: point, Action: Remove}
		for _, e := range s.index.Stack(point) {
			if !e.Ours() {
				break
			}
			c.layers = append(c.layers, e)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

func (s *planner) attach() ([]Change, error) {
	changes, err := s.stale()
	if err != nil {
		return nil, err
	}
	if s.request.Heal {
		return changes, nil
	}
	stale := make(map[string]Change, len(changes))
	for _, c := range changes {
		stale[c.Path] = c
	}
	for _, name := range s.served {
		if _, ok := stale[name]; !ok {
			changes = append(changes, s.file(name, stale))
		}
	}
	return changes, nil
}

// stale decides about the mounts of another lxcfs.
func (s *planner) stale() ([]Change, error) {
	var changes []Change
	for _, point := range s.mountpoints() {
		top, _ := s.index.At(point)
		if deviceOf(top) == s.tree || s.request.Heal && !kernelFile(point) {
			continue
		}
		if e, ok := s.behind(point); ok {
			changes = append(changes, Change{Path: point, Action: Skip, Reason: e.MountPoint + " is a FUSE file system"})
			continue
		}
		dead, err := s.isDead(point, top)
		if err != nil {
			return nil, err
		}
		switch {
		case dead || s.request.ReplaceLive && kernelFile(point):
			changes = append(changes, s.replace(point, top))
		case kernelFile(point):
			changes = append(changes, Change{Path: point, Action: Skip, Reason: "another lxcfs that is alive"})
		}
	}
	return changes, nil
}

// isDead asks each filesystem once: a connection dies with all of its mounts.
func (s *planner) isDead(point string, top mount.Entry) (bool, error) {
	if dead, known := s.asked[deviceOf(top)]; known {
		return dead, nil
	}
	dead, err := s.dead(point)
	if err != nil {
		return false, err
	}
	if s.asked == nil {
		s.asked = make(map[device]bool)
	}
	s.asked[deviceOf(top)] = dead
	return dead, nil
}

// replace takes a stale mount away, with those of the same filesystem under it,
// and puts the tree's in its place.
func (s *planner) replace(point string, top mount.Entry) Change {
	c := Change{Path: point, Action: Replace}
	stack := s.index.Stack(point)
	for len(stack) > 0 && deviceOf(stack[0]) == deviceOf(top) {
		c.layers, stack = append(c.layers, stack[0]), stack[1:]
	}
	switch {
	case len(stack) > 0 && deviceOf(stack[0]) == s.tree: // ours is under it
	case !kernelFile(point):
		// "//deleted" is what the kernel adds when the name was looked up anew.
		c.source = "." + strings.TrimSuffix(path.Clean(top.Root), "/deleted")
	case slices.Contains(s.served, point):
		c.source = point[1:]
	default:
		c.Action, c.Reason = Remove, "not served here, or file by file"
	}
	return c
}

// file decides about a served file at whose place no stale mount is.
func (s *planner) file(name string, stale map[string]Change) Change {
	c := Change{Path: name, Action: Skip}
	top, mounted := s.index.At(name)
	above, covered := s.above(name)
	switch {
	case mounted && deviceOf(top) == s.tree:
		c.Action = Keep
	case covered && deviceOf(above) == s.tree:
		c.Action, c.Reason = Keep, "with "+above.MountPoint
	case covered && len(stale[above.MountPoint].layers) == 0:
		c.Reason = above.MountPoint + " is of another lxcfs"
	case mounted && !kernelsOwn(top):
		c.Reason = top.FSType + " is mounted over it"
	default:
		if !covered {
			c.Reason = s.lacks(name)
		}
		if c.Reason == "" {
			c.Action, c.source = Bind, name[1:]
		}
	}
	return c
}

// kernelsOwn says whether what is mounted at the place of a kernel's file is this
// very file: systemd-nspawn with a network of its own mounts each directory of
// sysfs once more when it has started, /sys/block too.
func kernelsOwn(e mount.Entry) bool {
	return e.FSType == "sysfs" && e.MountPoint == "/sys"+e.Root || e.FSType == "proc" && e.MountPoint == "/proc"+e.Root
}

// above is the innermost lxcfs mount on a directory of the path.
func (s *planner) above(name string) (mount.Entry, bool) {
	for at := path.Dir(name); at != "/"; at = path.Dir(at) {
		if e, ok := s.index.At(at); ok && e.Ours() {
			return e, true
		}
	}
	return mount.Entry{}, false
}
