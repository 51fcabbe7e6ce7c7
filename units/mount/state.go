package mount

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// State says what is mounted at a path.
type State uint8

const (
	// Free: nothing is mounted there, or merely a directory of a disk's
	// filesystem (a bind mount, such as a pod's hostPath volume).
	Free State = iota
	// Foreign: a filesystem of its own that is not lxcfs.
	Foreign
	// Alive: an lxcfs mount whose connection is held by somebody: served, or
	// waiting for its daemon to come back.
	Alive
	// Dead: an lxcfs mount whose connection is gone for good; every access
	// gives ENOTCONN.
	Dead
)

// String returns the state in words.
func (s State) String() string {
	switch s {
	case Free:
		return "free"
	case Foreign:
		return "a mount of another filesystem"
	case Alive:
		return "a live lxcfs mount"
	case Dead:
		return "a dead lxcfs mount"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// ErrMounted is returned, wrapped, when a path is in use by a mount that must
// not be replaced.
var ErrMounted = errors.New("already mounted")

// Inspect says what is mounted at a path that [Table.Resolve] returned. probe
// is called only for a mount of ours.
func Inspect(ctx context.Context, t Table, mountpoint string, probe Prober) (State, Entry, error) {
	e, ok := t.At(mountpoint)
	switch {
	case !ok, e.Root != "/" && !strings.HasPrefix(e.FSType, "fuse"):
		return Free, e, nil
	case !e.Ours():
		return Foreign, e, nil
	}
	dead, err := probe(ctx, mountpoint)
	if err != nil {
		return Alive, e, fmt.Errorf("check of the lxcfs mount %s: %w", mountpoint, err)
	}
	if dead {
		return Dead, e, nil
	}
	return Alive, e, nil
}

// ReplaceDead resolves mountpoint and makes sure that a mount may be made
// there: dead mounts of ours are detached, anything else that is mounted is
// refused with [ErrMounted]. It returns the resolved path.
func ReplaceDead(ctx context.Context, fsys hostfile.FS, mountpoint string, probe Prober) (string, error) {
	const layers = 16 // dead mounts stacked by restarts of an older lxcfs
	for range layers {
		table, err := ReadTable(fsys)
		if err != nil {
			return "", err
		}
		path, err := table.Resolve(mountpoint)
		if err != nil {
			return "", err
		}
		state, e, err := Inspect(ctx, table, path, probe)
		switch {
		case err != nil:
			return "", err
		case state == Free:
			return path, nil
		case !stands(fsys, path, e):
			continue // what was asked may have been the directory below it
		case state == Alive:
			return "", fmt.Errorf("%s: %w: lxcfs, and its connection is alive", path, ErrMounted)
		case state == Foreign:
			return "", fmt.Errorf("%s: %w: a filesystem of type %s, which is not ours to replace", path, ErrMounted, e.FSType)
		}
		if err := Detach(path); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%s: %w: more than %d dead mounts on top of each other", mountpoint, ErrMounted, layers)
}

// stands says whether a mount is still the topmost at a path.
func stands(fsys hostfile.FS, path string, e Entry) bool {
	table, err := ReadTable(fsys)
	if err != nil {
		return true
	}
	now, ok := table.At(path)
	return ok && now.ID == e.ID
}
