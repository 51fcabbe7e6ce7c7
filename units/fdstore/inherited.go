package fdstore

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// KeeperVariable holds the keeper's pid in the worker's environment. It
	// stands in for LISTEN_PID, see the package comment.
	KeeperVariable = "LXCFS_KEEPER_PID"

	// listenStart is SD_LISTEN_FDS_START of sd_listen_fds(3).
	listenStart = 3
	// unknownName is what sd_listen_fds_with_names(3) calls a descriptor
	// that nobody named.
	unknownName = "unknown"
)

// File is a descriptor and its name. It does not own the descriptor: whoever
// holds the File last closes FD.
type File struct {
	Name string
	FD   int
}

// Inherited returns the descriptors that the service manager or the keeper
// passed to this process, in no meaningful order (sd_listen_fds(3)). They are
// made close-on-exec and belong to the caller. Names may repeat; a descriptor
// without a name is called "unknown".
//
// LISTEN_PID, LISTEN_PIDFDID, LISTEN_FDS, LISTEN_FDNAMES and [KeeperVariable]
// are removed from the environment in any case, so call it once, early. With
// another process's LISTEN_PID there are no descriptors and no error. When a
// descriptor is not open the others are returned all the same, with an error
// that names the one.
func Inherited() ([]File, error) {
	env := listenEnvironment{
		pid:    os.Getenv("LISTEN_PID"),
		keeper: os.Getenv(KeeperVariable),
		fds:    os.Getenv("LISTEN_FDS"),
		names:  os.Getenv("LISTEN_FDNAMES"),
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES", KeeperVariable} {
		if err := os.Unsetenv(name); err != nil {
			return nil, fmt.Errorf("environment variable %s: %w", name, err)
		}
	}
	files, err := env.parse(os.Getpid(), os.Getppid())
	if err != nil {
		return nil, err
	}
	return openOnes(files)
}

// listenEnvironment holds the variables of sd_listen_fds(3):
//
//	LISTEN_PID=4711
//	LISTEN_FDS=3
//	LISTEN_FDNAMES=lxcfs.socket:fuse-1:journal-1
type listenEnvironment struct {
	pid, keeper, fds, names string
}

// parse lists what the variables promise to process pid, child of ppid.
// Missing names are "unknown", surplus names are ignored.
func (e listenEnvironment) parse(pid, ppid int) ([]File, error) {
	if e.fds == "" {
		return nil, nil
	}
	owner, variable, want := e.pid, "LISTEN_PID", pid
	if e.pid == "" {
		owner, variable, want = e.keeper, KeeperVariable, ppid
	}
	if owner == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(owner)
	if err != nil || n <= 0 {
		return nil, fmt.Errorf("environment variable %s: not a pid: %q", variable, owner)
	}
	if n != want {
		return nil, nil
	}
	count, err := strconv.Atoi(e.fds)
	// No process has more than fs.nr_open descriptors, at most 2^30; the
	// list is made one by one below, so only the numbers must not overflow.
	if err != nil || count < 0 || count > math.MaxInt32-listenStart {
		return nil, fmt.Errorf("environment variable LISTEN_FDS: not a count: %q", e.fds)
	}
	return named(count, e.names), nil
}

// maxInherited bounds what a wrong LISTEN_FDS can make us allocate and try.
const maxInherited = 1 << 16

// named numbers count descriptors and names them.
func named(count int, names string) []File {
	files := make([]File, 0, min(count, maxInherited))
	for i := range min(count, maxInherited) {
		file := File{Name: unknownName, FD: listenStart + i}
		if names != "" {
			file.Name, names, _ = strings.Cut(names, ":")
		}
		files = append(files, file)
	}
	return files
}

// openOnes makes the open ones of files close-on-exec and returns them.
func openOnes(files []File) ([]File, error) {
	var failed error
	open := files[:0]
	for _, file := range files {
		if _, err := unix.FcntlInt(uintptr(file.FD), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
			if failed == nil {
				failed = fmt.Errorf("inherited descriptor %d (%s): %w", file.FD, file.Name, err)
			}
			continue
		}
		open = append(open, file)
	}
	return open, failed
}
