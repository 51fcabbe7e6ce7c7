package main

import (
	"fmt"
	"os"
	"runtime"
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

// namedFiles are inherited descriptors by name.
type namedFiles map[string]int

// parts picks the descriptors of one connection.
func (f namedFiles) parts(id string) parts {
	p := noParts()
	for _, kind := range kinds() {
		if fd, ok := f[kind+"-"+id]; ok {
			*p.of(kind) = fd
		}
	}
	p.served = p.journal >= 0
	return p
}

// inheritedFiles returns what inheritedList does, by name.
func inheritedFiles() (namedFiles, error) {
	list, err := inheritedList()
	if err != nil {
		return nil, err
	}
	files := make(namedFiles)
	for _, f := range list {
		files[f.Name] = f.FD
	}
	return files, nil
}

// inheritedList returns what the manager, the keeper, or this process before its
// execve passed on. Call it once.
func inheritedList() ([]fdstore.File, error) {
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

// files lists the descriptors of all connections.
func (s *server) files() namedFiles {
	files := make(namedFiles)
	for _, c := range s.connections() {
		p := c.parts()
		for _, kind := range kinds() {
			files[kind+"-"+c.id] = *p.of(kind)
		}
	}
	return files
}

// heldBack are the signals that wait for the new program: they would end a
// process whose Go runtime has not begun.
func heldBack() []unix.Signal {
	return []unix.Signal{unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGTERM, unix.SIGINT}
}

// reexec replaces this program by the one installed now, under the same pid,
// with these arguments and the descriptors given. Requests under way are in the
// journals: the new program owes them. It returns only if execve failed, and
// then the process is as it was.
func reexec(files namedFiles, args []string) error {
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
	path := executable()
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

// askKeeper has the keeper execute the installed program anew, and it this one; it
// reports whether there is a keeper.
func (s *service) askKeeper() bool {
	keeper := s.client.Keeper()
	return keeper != 0 && unix.Kill(keeper, unix.SIGUSR1) == nil
}

// takeOver executes the program installed now with all that a service holds.
func (s *service) takeOver() {
	s.taking.Lock() // or a mount half taken would be in the store and not in the new program
	defer s.taking.Unlock()
	s.log.Info("executing anew", "binary", executable())
	s.store.notify(s.log, "RELOADING=1", monotonic())
	files := s.files()
	s.client.PassKeeperOn()
	if s.listener >= 0 {
		files[socketName] = s.listener
	}
	s.leave(true)
	err := reexec(files, os.Args)
	s.leave(false)
	s.log.Error("not executed anew, serving on", "error", err)
	s.store.notify(s.log, "READY=1", "STATUS="+s.status())
}
