package attach

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"linuxcontainers.org/lxcfs/fs/mount"
)

// device is st_dev of a filesystem, as mountinfo shows it.
type device struct{ major, minor uint32 }

func deviceOf(e mount.Entry) device { return device{e.Major, e.Minor} }

// scene is all that a plan depends on.
type scene struct {
	request Request
	// host and table are the mounts of the host and of the container.
	host, table mount.Table
	// tree is the device of the lxcfs that is to be attached, and served what is
	// bound of it; both zero for a detach.
	tree   device
	served []string
	// dead asks whether the lxcfs mount on top at a path is dead.
	dead func(mountpoint string) (bool, error)
	// lacks says why nothing can be bound at a path, "" if it can.
	lacks func(path string) string
}

// ErrShared is returned, wrapped, when what is mounted in the container would
// appear on the host, too.
var ErrShared = errors.New("its mounts are shared with the host's")

// plan decides about each path, and fails when one must not be touched.
func (s *scene) plan() ([]Change, error) {
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
func (s *scene) shared(c Change) error {
	if c.Action == Keep || c.Action == Skip {
		return nil
	}
	holder, _ := s.holder(c.Path)
	if holder.Shared != 0 && slices.ContainsFunc(s.host, func(e mount.Entry) bool { return e.Shared == holder.Shared }) {
		return fmt.Errorf("%s: %w", c.Path, ErrShared)
	}
	return nil
}

// holder is the mount that a mount at name is, or would be, attached to: the
// one below all of lxcfs that are stacked there.
func (s *scene) holder(name string) (mount.Entry, bool) {
	for at := name; ; at = path.Dir(at) {
		for e, ok := s.table.At(at); ok; e, ok = s.below(e) {
			if at != name || !e.Ours() {
				return e, true
			}
		}
		if at == "/" {
			return mount.Entry{}, false
		}
	}
}

// below is the mount under another at the same path.
func (s *scene) below(top mount.Entry) (mount.Entry, bool) {
	for _, e := range s.table {
		if e.ID == top.Parent && e.ID != top.ID && e.MountPoint == top.MountPoint {
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
func (s *scene) mountpoints() []string {
	var points []string
	for _, e := range s.table.Ours() {
		if top, ok := s.table.At(e.MountPoint); ok && top.Ours() {
			points = append(points, e.MountPoint)
		}
	}
	slices.Sort(points)
	return slices.Compact(points)
}

func (s *scene) detach() ([]Change, error) {
	var changes []Change
	for _, point := range s.mountpoints() {
		if !kernelFile(point) {
			continue // for containers in this one
		}
		top, _ := s.table.At(point)
		layers := 0
		for e, ok := top, true; ok && e.Ours(); e, ok = s.below(e) {
			layers++
		}
		changes = append(changes, Change{Path: point, Action: Remove, layers: layers})
	}
	return changes, nil
}

func (s *scene) attach() ([]Change, error) {
	changes, err := s.stale()
	if err != nil {
		return nil, err
	}
	if s.request.Heal {
		return changes, nil
	}
	for _, name := range s.served {
		if !slices.ContainsFunc(changes, func(c Change) bool { return c.Path == name }) {
			changes = append(changes, s.file(name, changes))
		}
	}
	return changes, nil
}

// stale decides about the mounts of another lxcfs.
func (s *scene) stale() ([]Change, error) {
	var changes []Change
	for _, point := range s.mountpoints() {
		top, _ := s.table.At(point)
		if deviceOf(top) == s.tree || s.request.Heal && !kernelFile(point) {
			continue
		}
		dead, err := s.dead(point)
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

// replace takes a stale mount away, with those of the same filesystem under it,
// and puts the tree's in its place.
func (s *scene) replace(point string, top mount.Entry) Change {
	c := Change{Path: point, Action: Replace}
	e, ok := top, true
	for ; ok && deviceOf(e) == deviceOf(top); e, ok = s.below(e) {
		c.layers++
	}
	switch {
	case ok && deviceOf(e) == s.tree: // ours is under it
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
func (s *scene) file(name string, changes []Change) Change {
	c := Change{Path: name, Action: Skip}
	top, mounted := s.table.At(name)
	above, covered := s.above(name)
	switch {
	case mounted && deviceOf(top) == s.tree:
		c.Action = Keep
	case covered && deviceOf(above) == s.tree:
		c.Action, c.Reason = Keep, "with "+above.MountPoint
	case covered && !goes(above, changes):
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
func (s *scene) above(name string) (mount.Entry, bool) {
	for at := path.Dir(name); at != "/"; at = path.Dir(at) {
		if e, ok := s.table.At(at); ok && e.Ours() {
			return e, true
		}
	}
	return mount.Entry{}, false
}

// goes: the changes take the mount away.
func goes(e mount.Entry, changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return c.Path == e.MountPoint && c.layers > 0 })
}
