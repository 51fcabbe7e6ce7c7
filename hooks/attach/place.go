package attach

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/hooks/bind"
	"linuxcontainers.org/lxcfs/units/mount"
)

// errChanged is returned, wrapped, when the container mounts or renames
// something while it is worked on.
var errChanged = errors.New("the container changes its mounts meanwhile")

// places opens paths of a container to mount on or to unmount, and goes by the
// mounts of its planner: what was judged is what is used.
type places struct {
	*planner
	root   int // the container's root directory
	thread int // /proc/thread-self of the host
	// mounts are held open, by their id.
	mounts map[int]int
	// locked are the paths whose lxcfs mount cannot be taken away.
	locked map[string]bool
	on     map[string]mount.Entry // and that mount
}

func newPlaces(s *planner, root, thread int) *places {
	return &places{planner: s, root: root, thread: thread,
		mounts: make(map[int]int), locked: make(map[string]bool), on: make(map[string]mount.Entry)}
}

// lock notes that a mount stays where it is.
func (p *places) lock(name string, e mount.Entry) { p.locked[name], p.on[name] = true, e }

// bare opens a path that no lxcfs mount is on, or none but a locked one, for a
// mount to be put there.
func (p *places) bare(name string) (int, error) {
	if p.locked[name] {
		return p.top(name, p.on[name])
	}
	holder, ok := p.holder(name)
	if !ok {
		return -1, fmt.Errorf("%s: %w", name, errChanged)
	}
	if holder.MountPoint == name {
		return p.top(name, holder)
	}
	dir, err := p.hold(holder)
	if err != nil {
		return -1, err
	}
	place, err := bind.OpenWithin(dir, p.relative(name, holder))
	if errors.Is(err, unix.EXDEV) {
		return -1, fmt.Errorf("%s: %w", name, errChanged)
	}
	return place, err
}

// top opens what is on top at a path: the root of a mount, which must be this one.
func (p *places) top(name string, want mount.Entry) (int, error) {
	dir, below := p.root, name
	if outer, ok := p.outer(name); ok && outer.MountPoint != "/" {
		var err error
		if dir, err = p.hold(outer); err != nil {
			return -1, err
		}
		below = p.relative(name, outer)
	}
	place, err := bind.Open(dir, below)
	if err != nil {
		return -1, err
	}
	if err := p.check(place, want); err != nil {
		unix.Close(place)
		return -1, err
	}
	return place, nil
}

// hold opens the root of a mount, once.
func (p *places) hold(e mount.Entry) (int, error) {
	if fd, ok := p.mounts[e.ID]; ok {
		return fd, nil
	}
	fd, err := p.top(e.MountPoint, e)
	if err != nil {
		return -1, err
	}
	p.mounts[e.ID] = fd
	return fd, nil
}

func (p *places) check(place int, want mount.Entry) error {
	got, err := bind.MountOf(place)
	if err == nil && !got.Is(want.Major, want.Minor, want.ID) {
		err = errChanged
	}
	if err != nil {
		return fmt.Errorf("%s: %w", want.MountPoint, err)
	}
	return nil
}

// under is what is on top where a mount was, once it is gone.
func (p *places) under(e mount.Entry) mount.Entry {
	parent, _ := p.index.ByID(e.Parent)
	return parent
}

func (p *places) relative(name string, holder mount.Entry) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, holder.MountPoint), "/")
}

// whyNot says why nothing can be bound at a path that no mount of lxcfs covers: it
// is not the kernel's, or on the way there is a filesystem that somebody serves who
// need not answer.
func (p *places) whyNot(name string) string {
	holder, ok := p.holder(name)
	if !ok || holder.FSType != "proc" && holder.FSType != "sysfs" {
		return "not a file of the kernel's"
	}
	if e, ok := p.behind(name); ok {
		return e.MountPoint + " is a FUSE file system"
	}
	place, err := p.bare(name)
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR):
		return "the container has none"
	case err != nil:
		return err.Error()
	}
	unix.Close(place)
	return ""
}

// unmount takes away the mount whose root is held open: umount2(2) knows names
// only, and this one nobody in the container can change.
func (p *places) unmount(fd int) error {
	if err := unix.Fchdir(p.thread); err != nil {
		return err
	}
	err := unix.Unmount(fmt.Sprintf("fd/%d", fd), unix.MNT_DETACH)
	return errors.Join(err, unix.Chdir("/"))
}
