package process

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/units/fdstore"
)

// reexecVariable carries descriptors over an execve(2) of this process:
// "fuse-1=7,journal-1=9". They keep their numbers, so that nothing is moved
// under a process that must go on living if execve fails.
const reexecVariable = "LXCFS_REEXEC_FDS"

// StoreLimit is how many descriptors the manager keeps where it does not say
// ($FDSTORE): the unit's FileDescriptorStoreMax=.
const StoreLimit = 512

// Files are inherited descriptors by name.
type Files map[string]int

// InheritedFiles returns what Inherited does, by name.
func InheritedFiles() (Files, error) {
	list, err := Inherited()
	if err != nil {
		return nil, err
	}
	files := make(Files)
	for _, f := range list {
		files[f.Name] = f.FD
	}
	return files, nil
}

// Inherited returns what the manager, the keeper, or this process before its
// execve passed on. Call it once.
func Inherited() ([]fdstore.File, error) {
	files, err := fdstore.Inherited()
	if err != nil {
		return nil, err
	}
	own := os.Getenv(reexecVariable)
	if err := os.Unsetenv(reexecVariable); err != nil {
		return nil, err
	}
	for entry := range strings.SplitSeq(own, ",") {
		name, number, ok := strings.Cut(entry, "=")
		if !ok {
			continue
		}
		fd, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("environment variable %s: %q", reexecVariable, entry)
		}
		unix.CloseOnExec(fd)
		files = append(files, fdstore.File{Name: name, FD: fd})
	}
	return files, nil
}

// heldBack are the signals that wait for the new program: they would end a
// process whose Go runtime has not begun.
func heldBack() []unix.Signal {
	return []unix.Signal{unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGTERM, unix.SIGINT}
}

// Reexec replaces this program by the one installed now, under the same pid,
// with these arguments and the descriptors given. Requests under way are in the
// journals: the new program owes them. It returns only if execve failed, and
// then the process is as it was.
func Reexec(files Files, args []string) error {
	var list []string
	for name, fd := range files {
		list = append(list, name+"="+strconv.Itoa(fd))
	}
	env := append(os.Environ(), reexecVariable+"="+strings.Join(list, ","))
	release, err := holdSignals()
	if err != nil {
		return err
	}
	defer release()
	for _, fd := range files {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return fmt.Errorf("descriptor %d: %w", fd, err)
		}
	}
	path := Executable()
	err = unix.Exec(path, args, env)
	for _, fd := range files {
		unix.CloseOnExec(fd)
	}
	return fmt.Errorf("execute %s: %w", path, err)
}

// holdSignals blocks signals in the calling thread, whose mask the new program
// inherits; it gets them when it asks for them (signal.Notify). Threads other
// than this one go on taking them until execve ends them.
func holdSignals() (release func(), err error) {
	runtime.LockOSThread()
	var block, old unix.Sigset_t
	for _, sig := range heldBack() {
		n := uint(sig) - 1
		block.Val[n/wordBits] |= 1 << (n % wordBits)
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &block, &old); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("block signals: %w", err)
	}
	return func() {
		unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
		runtime.UnlockOSThread()
	}, nil
}

// wordBits is the width of a word of a signal set.
const wordBits = uint(unsafe.Sizeof(unix.Sigset_t{}.Val[0]) * 8)

// Executable returns the path of this program, for a worker or a re-execution:
// what is installed there now, not what runs.
func Executable() string {
	path, err := os.Executable()
	if err != nil {
		return "/proc/self/exe"
	}
	return strings.TrimSuffix(path, " (deleted)")
}

// RoleArgs returns this process's arguments with another role, or with none.
func RoleArgs(role string) []string {
	rest := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(arg string) bool {
		return arg == "--keeper" || arg == "--worker"
	})
	if role == "" {
		return rest
	}
	return append([]string{role}, rest...)
}
