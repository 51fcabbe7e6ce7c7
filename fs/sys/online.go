package sys

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// onlineSource is the host's trees with a file cpu/cpuN/online for each CPU. The
// kernel makes none for a CPU that it can't take offline (CPU 0 of x86 since Linux
// 6.5; all without CONFIG_HOTPLUG_CPU). A container may be without such a CPU,
// and programs take one that has no such file to be online.
type onlineSource struct{ *walker }

// onlineFile is the name of the file.
const onlineFile = "online"

// madeUp is added to a CPU's number for the inode number of a file that the kernel
// does not have. sysfs gives none above 2^31-1: it counts them in an int.
const madeUp = 1 << 31

// lacks returns the number of a CPU that has no file online where a path that
// was not found names it.
func (s onlineSource) lacks(path []string, err error) (int, bool) {
	if len(path) != 3 || path[0] != cpuTop || path[2] != onlineFile || !errors.Is(err, unix.ENOENT) {
		return 0, false
	}
	cpu, ok := numbered(path[1], "cpu")
	return cpu, ok && isDirectory(s.walker, path[:2])
}

func (s onlineSource) stat(path []string) (info, error) {
	i, err := s.walker.stat(path)
	if cpu, ok := s.lacks(path, err); ok {
		return info{ino: madeUp + uint64(cpu), mode: unix.S_IFREG | 0o444, size: len("1\n"), madeUp: true}, nil
	}
	return i, err
}

func (s onlineSource) list(path []string) ([]string, error) {
	names, err := s.walker.list(path)
	if err != nil || len(path) != 2 || path[0] != cpuTop || slices.Contains(names, onlineFile) {
		return names, err
	}
	if _, ok := numbered(path[1], "cpu"); ok {
		names = append(names, onlineFile)
	}
	return names, nil
}

func (s onlineSource) read(dst []byte, path []string) ([]byte, error) {
	out, err := s.walker.read(dst, path)
	if _, ok := s.lacks(path, err); ok {
		return append(dst, "1\n"...), nil
	}
	return out, err
}
