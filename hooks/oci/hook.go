package oci

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/hooks/bind"
)

// Bind binds what the tree serves over the files of the container whose root
// this is, each only where the container has it and it is not bound already (a
// volume does that). It goes on after an error and returns all of them.
func Bind(tree, root string) error {
	paths, err := bind.Served(os.DirFS(tree))
	if err != nil {
		return fmt.Errorf("%s: %w", tree, err)
	}
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(dir)
	var errs []error
	for _, path := range paths {
		if err := bindOne(tree, dir, path); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// bindOne binds one path, which the container need not have.
func bindOne(tree string, root int, path string) error {
	place, err := bind.Open(root, path)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(place)
	clone, err := bind.Clone(tree, path)
	if err != nil {
		return err
	}
	defer unix.Close(clone)
	if same, err := sameDevice(clone, place); same || err != nil {
		return err
	}
	return bind.Move(clone, place, path)
}

// sameDevice: both are on one filesystem, so the place is bound already.
func sameDevice(a, b int) (bool, error) {
	aMajor, aMinor, err := bind.Device(a)
	if err != nil {
		return false, err
	}
	bMajor, bMinor, err := bind.Device(b)
	return aMajor == bMajor && aMinor == bMinor, err
}
