package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/fdstore"
)

// reexecVariable carries descriptors over an execve(2) of this process:
// "fuse-1=7,journal-1=9". They keep their numbers, so that nothing is moved
// under a process that must go on living if execve fails.
const reexecVariable = "LXCFS_REEXEC_FDS"

// namedFiles are inherited descriptors by name.
type namedFiles map[string]int

// parts picks the descriptors of one connection.
func (f namedFiles) parts(id string) parts {
	get := func(name string) int {
		if fd, ok := f[name]; ok {
			return fd
		}
		return -1
	}
	return parts{fuse: get("fuse-" + id), journal: get("journal-" + id), accounts: get("acct-" + id), origin: get("origin-" + id)}
}

// inheritedFiles returns what the manager, the keeper, or this process before
// its execve passed on. Call it once.
func inheritedFiles() (namedFiles, error) {
	files := make(namedFiles)
	list, err := fdstore.Inherited()
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		files[f.Name] = f.FD
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
		files[name] = fd
	}
	return files, nil
}

// files lists the descriptors of all connections.
func (s *server) files() namedFiles {
	s.mu.Lock()
	defer s.mu.Unlock()
	files := make(namedFiles)
	for id, c := range s.conns {
		files["fuse-"+id] = c.session.FD()
		files["journal-"+id] = c.session.JournalFD()
		files["acct-"+id] = c.accounts.fd
		files["origin-"+id] = c.originFD
	}
	return files
}

// reexec replaces this program by the one installed now, under the same pid,
// with these arguments and the descriptors given. Requests under way are in the journals: the
// new program owes them. It returns only if execve failed, and then the
// process is as it was.
func reexec(files namedFiles, args []string) error {
	var list []string
	for name, fd := range files {
		list = append(list, name+"="+strconv.Itoa(fd))
	}
	env := append(os.Environ(), reexecVariable+"="+strings.Join(list, ","))
	for _, fd := range files {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return fmt.Errorf("descriptor %d: %w", fd, err)
		}
	}
	path := executable()
	err := unix.Exec(path, args, env)
	for _, fd := range files {
		unix.CloseOnExec(fd)
	}
	return fmt.Errorf("execute %s: %w", path, err)
}
