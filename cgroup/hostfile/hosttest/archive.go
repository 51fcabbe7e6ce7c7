package hosttest

import (
	"io/fs"
	"path"
	"sort"
	"strings"
	"syscall"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
)

// Archive is a captured machine: absolute path to content. A directory exists
// when a file lies below it or when it has an [Archive.Dirs] entry of its own.
// It does not change while it is used as an [hostfile.FS].
//
// Inodes are made up: stable within one Archive, distinct per path.
type Archive struct {
	// Files maps an absolute path to its content.
	Files map[string]string
	// Errors maps an absolute path to the error that reading it gives, such as
	// syscall.ESRCH.
	Errors map[string]error
	// Dirs holds empty directories, and owners of directories.
	Dirs map[string]hostfile.Info
	// Links maps a symlink to its target. Links are listed, never followed.
	Links map[string]string
}

// Append implements [hostfile.FS].
func (a *Archive) Append(dst []byte, name string) ([]byte, error) {
	if err := a.Errors[name]; err != nil {
		return dst, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	content, ok := a.Files[name]
	if !ok {
		err := syscall.ENOENT
		if a.isDir(name) {
			err = syscall.EISDIR
		}
		return dst, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return append(dst, content...), nil
}

// ReadDir implements [hostfile.FS]. Names are sorted.
func (a *Archive) ReadDir(name string) ([]string, error) {
	if err := a.Errors[name]; err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if _, ok := a.Files[name]; ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOTDIR}
	}
	seen := make(map[string]bool)
	prefix := strings.TrimSuffix(name, "/") + "/"
	a.each(func(p string) bool {
		if rest, ok := strings.CutPrefix(p, prefix); ok && rest != "" {
			child, _, _ := strings.Cut(rest, "/")
			seen[child] = true
		}
		return true
	})
	if _, ok := a.Dirs[name]; len(seen) == 0 && !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	return names, nil
}

// Stat implements [hostfile.FS].
func (a *Archive) Stat(name string) (hostfile.Info, error) {
	if err := a.Errors[name]; err != nil {
		return hostfile.Info{}, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	if _, ok := a.Files[name]; ok {
		return hostfile.Info{Dev: 1, Inode: inode(name), Mode: 0o444}, nil
	}
	info, ok := a.Dirs[name]
	if !ok {
		if !a.isDir(name) {
			return hostfile.Info{}, &fs.PathError{Op: "stat", Path: name, Err: syscall.ENOENT}
		}
		info.Mode = 0o755
	}
	info.Mode |= fs.ModeDir
	if info.Inode == 0 {
		info.Dev, info.Inode = 1, inode(name)
	}
	return info, nil
}

func (a *Archive) isDir(name string) bool {
	if _, ok := a.Dirs[name]; ok {
		return true
	}
	found := false
	prefix := strings.TrimSuffix(name, "/") + "/"
	a.each(func(p string) bool {
		found = strings.HasPrefix(p, prefix)
		return !found
	})
	return found
}

// each calls f with every path that has an entry, until f returns false.
func (a *Archive) each(f func(string) bool) {
	for p := range a.Files {
		if !f(p) {
			return
		}
	}
	for p := range a.Dirs {
		if !f(p) {
			return
		}
	}
	for p := range a.Links {
		if !f(p) {
			return
		}
	}
}

// inode is the FNV-1a hash of the cleaned path.
func inode(name string) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range []byte(path.Clean(name)) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}
