package attach

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/hooks/bind"
	"linuxcontainers.org/lxcfs/units/mount"
)

// applier changes the mounts of the namespace that this thread is in. It
// remembers how to take everything back.
//
// Whoever is in the container may rename directories and mount things
// meanwhile. So nothing is mounted or unmounted by a name: what a name led to is
// held by a descriptor, looked at, and used by that.
type applier struct {
	places *places
	// clones are the mounts to attach, by the path to attach them to: each can
	// be attached once.
	clones map[string]int
	undo   []func() error
}

// apply does the changes or, after an error, takes back what was done. It
// updates a change whose path turns out not to be there.
func (a *applier) apply(changes []Change) error {
	err := a.removeAll(changes)
	for i := range changes {
		if err == nil && changes[i].source != "" {
			err = a.bind(&changes[i])
		}
	}
	if err == nil {
		return nil
	}
	for _, undo := range slices.Backward(a.undo) {
		err = errors.Join(err, undo())
	}
	return err
}

// removeAll takes mounts away, those inside others first.
func (a *applier) removeAll(changes []Change) error {
	for _, c := range slices.Backward(changes) {
		for _, layer := range c.layers {
			if err := a.remove(c, layer); err != nil {
				return fmt.Errorf("%s: %w", c.Path, err)
			}
		}
	}
	return nil
}

// remove takes a mount away, which must be the topmost at its path. One that was
// made by a more privileged namespace is locked there (mount_namespaces(7)); it
// stays, and is covered when something is to be bound.
func (a *applier) remove(c Change, layer mount.Entry) error {
	if a.places.locked[c.Path] {
		return nil
	}
	place, err := a.places.top(c.Path, layer)
	if err != nil {
		return err
	}
	defer unix.Close(place)
	clone, err := unix.OpenTree(place, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("open_tree: %w", err)
	}
	err = a.places.unmount(place)
	if errors.Is(err, unix.EINVAL) && c.source != "" {
		a.places.lock(c.Path, layer)
		return unix.Close(clone)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("umount: %w", err), unix.Close(clone))
	}
	under := a.places.under(layer)
	a.undo = append(a.undo, func() error {
		place, err := a.places.top(c.Path, under)
		if err != nil {
			return err
		}
		defer unix.Close(place)
		return bind.Move(clone, place, c.Path)
	})
	return nil
}

// bind attaches the change's mount at its path.
func (a *applier) bind(c *Change) error {
	place, err := a.places.bare(c.Path)
	if errors.Is(err, unix.ENOENT) {
		c.Action, c.Reason = Skip, "the container has none"
		if len(c.layers) > 0 {
			c.Action = Remove
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(place)
	clone, ok := a.clones[c.Path]
	if !ok {
		return fmt.Errorf("%s: %s is not served", c.Path, path.Clean(c.source))
	}
	if err := bind.Move(clone, place, c.Path); err != nil {
		return err
	}
	a.undo = append(a.undo, func() error {
		if err := a.places.unmount(clone); err != nil {
			return fmt.Errorf("umount %s: %w", c.Path, err)
		}
		return nil
	})
	return nil
}
