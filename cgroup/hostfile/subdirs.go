package hostfile

import (
	"encoding/binary"
	"io/fs"
	"slices"
	"strings"
	"syscall"
)

// Subdirs returns the names of the directories in a directory, at most limit
// of them. A cgroup has dozens of interface files: where fsys has a method
// Subdirs, as [OS] has, they are told from directories without a stat(2) each.
func Subdirs(fsys FS, name string, limit int) ([]string, error) {
	if f, ok := fsys.(interface {
		Subdirs(name string, limit int) ([]string, error)
	}); ok {
		return f.Subdirs(name, limit)
	}
	names, err := fsys.ReadDir(name)
	if err != nil {
		return nil, err
	}
	dirs := slices.DeleteFunc(names, func(n string) bool {
		info, err := fsys.Stat(strings.TrimSuffix(name, "/") + "/" + n)
		return err != nil || !info.Mode.IsDir()
	})
	return dirs[:min(limit, len(dirs))], nil
}

// Subdirs is [Subdirs] with the file types that getdents64(2) gives. Symlinks
// are left out.
func (o OS) Subdirs(name string, limit int) ([]string, error) {
	fd, err := open(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer syscall.Close(fd)
	var dirs []string
	for buf := make([]byte, minRead); len(dirs) < limit; {
		n, err := syscall.ReadDirent(fd, buf)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
		case n <= 0:
			return dirs, nil
		}
		dirs = o.appendDirs(dirs, name, buf[:n])
	}
	return dirs[:min(limit, len(dirs))], nil
}

// appendDirs appends the directories among the records of struct
// linux_dirent64, getdents(2): d_ino u64, d_off s64, d_reclen u16, d_type u8,
// d_name, which ends with a NUL.
func (o OS) appendDirs(dst []string, dir string, records []byte) []string {
	const reclenAt, typeAt, nameAt = 16, 18, 19
	for len(records) > nameAt {
		size := int(binary.NativeEndian.Uint16(records[reclenAt:]))
		if size <= nameAt || size > len(records) {
			break
		}
		kind := records[typeAt]
		name, _, _ := strings.Cut(string(records[nameAt:size]), "\x00")
		records = records[size:]
		if name == "." || name == ".." {
			continue
		}
		if kind == syscall.DT_UNKNOWN {
			if info, err := o.Stat(dir + "/" + name); err == nil && info.Mode.IsDir() {
				kind = syscall.DT_DIR
			}
		}
		if kind == syscall.DT_DIR {
			dst = append(dst, name)
		}
	}
	return dst
}
