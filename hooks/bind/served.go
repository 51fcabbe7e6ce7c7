package bind

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// devices is the directory whose directories are bound as a whole where all of
// one is served.
const devices = "sys/devices/system"

// ErrNothing is returned, wrapped, when a tree serves no file: nothing is
// mounted there.
var ErrNothing = errors.New("no lxcfs is mounted")

// block is a directory that is bound as a whole where it is served.
const block = "sys/block"

// Served lists the paths to bind that a mounted tree serves, absolute and in
// the order of their names: each file below proc, the directory sys/block, and
// of each directory below sys/devices/system either all
// ("/sys/devices/system/cpu"), when it has an uevent as the kernel's has, or the
// files.
//
// A path in a container is bound only where the container has it, too.
func Served(tree fs.FS) ([]string, error) {
	paths, err := files(tree, "proc", 2)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: no directory proc", ErrNothing)
	}
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(tree, block); err == nil {
		paths = append(paths, "/"+block)
	}
	directories, err := fs.ReadDir(tree, devices)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, d := range directories {
		name := path.Join(devices, d.Name())
		if _, err := fs.Stat(tree, path.Join(name, "uevent")); err == nil {
			paths = append(paths, "/"+name)
			continue
		}
		some, err := files(tree, name, 1)
		if err != nil {
			return nil, err
		}
		paths = append(paths, some...)
	}
	return paths, nil
}

// files lists the regular files of a directory and, down to depth, of those in
// it.
func files(tree fs.FS, directory string, depth int) ([]string, error) {
	entries, err := fs.ReadDir(tree, directory)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		name := path.Join(directory, e.Name())
		switch {
		case e.Type().IsRegular():
			paths = append(paths, "/"+name)
		case e.IsDir() && depth > 1:
			below, err := files(tree, name, depth-1)
			if err != nil {
				return nil, err
			}
			paths = append(paths, below...)
		}
	}
	return paths, nil
}
