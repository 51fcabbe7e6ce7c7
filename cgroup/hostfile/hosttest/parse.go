package hosttest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// ErrArchive is returned, wrapped with the entry's name, for a txtar archive
// that breaks the rules of [Parse].
var ErrArchive = errors.New("not an archive of a host")

// Parse reads a captured machine from a txtar archive:
//
//	Debian 13, LXC in LXC. Free text up to the first marker: where it is from
//	and what is special about it.
//	-- proc/self/mountinfo --
//	30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw
//	-- proc/1/ns/pid@ --
//	pid:[4026531836]
//	-- sys/fs/cgroup/lxc.payload.c1/ --
//	1000000 1000000 755
//
// The name of an entry is an absolute path without its leading slash. A name
// that ends in '@' is a symlink: its target is kept in [Archive.Links] and not
// followed. A name that ends in '/' is a directory, with its owner's numeric uid
// and gid and its octal mode; a directory with no entry of its own belongs to
// root and has mode 755.
//
// Limits of txtar: a file that is not empty ends in a newline, and a name does
// not begin or end with a space. A path may come only once.
func Parse(archive []byte) (*Archive, error) {
	a := &Archive{
		Files: make(map[string]string),
		Dirs:  make(map[string]hostfile.Info),
		Links: make(map[string]string),
	}
	for _, f := range txtar.Parse(archive).Files {
		if err := a.add(f.Name, string(f.Data)); err != nil {
			return nil, fmt.Errorf("%w: %q: %w", ErrArchive, f.Name, err)
		}
	}
	return a, nil
}

func (a *Archive) add(name, content string) error {
	trimmed := strings.TrimRight(name, "@/")
	abs := "/" + trimmed
	suffix := name[len(trimmed):]
	switch {
	case trimmed == "" || path.Clean(abs) != abs:
		return errors.New("want a clean path without a leading slash")
	case a.has(abs):
		return errors.New("comes twice")
	}
	switch suffix {
	case "":
		a.Files[abs] = content
	case "@":
		a.Links[abs] = strings.TrimSuffix(content, "\n")
	case "/":
		info, err := parseDir(content)
		if err != nil {
			return err
		}
		a.Dirs[abs] = info
	default:
		return errors.New("want at most one '@' or '/' at the end")
	}
	return nil
}

// has reports whether there is an entry for the path itself.
func (a *Archive) has(name string) bool {
	_, file := a.Files[name]
	_, dir := a.Dirs[name]
	_, link := a.Links[name]
	return file || dir || link
}

// parseDir parses "uid gid mode", the mode octal.
func parseDir(content string) (hostfile.Info, error) {
	fields := strings.Fields(content)
	if len(fields) != 3 {
		return hostfile.Info{}, fmt.Errorf("directory %q: want uid, gid and octal mode", content)
	}
	uid, err := strconv.ParseUint(fields[0], 10, 32)
	if err != nil {
		return hostfile.Info{}, err
	}
	gid, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil {
		return hostfile.Info{}, err
	}
	mode, err := strconv.ParseUint(fields[2], 8, 9)
	if err != nil {
		return hostfile.Info{}, err
	}
	return hostfile.Info{UID: uint32(uid), GID: uint32(gid), Mode: fs.FileMode(mode)}, nil
}
