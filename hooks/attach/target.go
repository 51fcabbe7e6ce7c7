package attach

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// Errors of targets, wrapped.
var (
	// ErrHost: the target is in the host's mount namespace.
	ErrHost = errors.New("it is in the host's mount namespace, and the host keeps its own files")
	// ErrDaemon: the target is in the lxcfs daemon's mount namespace, which must
	// not read what it serves itself.
	ErrDaemon = errors.New("it is in the mount namespace of the lxcfs daemon")
	// ErrGone: there is no such process, or it ended under way.
	ErrGone = errors.New("no such process")
)

// Target is a mount namespace, held open.
type Target struct {
	// PID is a process in it.
	PID int
	// Name says what it is of: "lxc/c1"; "" when that is not known.
	Name string

	namespace *os.File
	inode     string // "mnt:[4026531841]"
}

// Open holds the mount namespace of a process open. The caller closes it.
func Open(pid int) (*Target, error) {
	t := &Target{PID: pid}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, gone(err))
	}
	defer unix.Close(pidfd)
	if t.namespace, err = os.Open(mountNamespace(pid)); err != nil {
		return nil, gone(err)
	}
	// That it lives still means that it was its namespace.
	if err := unix.PidfdSendSignal(pidfd, 0, nil, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("process %d: %w", pid, gone(err)), t.Close())
	}
	if t.inode, err = os.Readlink("/proc/self/fd/" + strconv.Itoa(int(t.namespace.Fd()))); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// Open holds it open. Another namespace under the same process id is [ErrGone].
func (f Found) Open() (*Target, error) {
	t, err := Open(f.PID)
	if err != nil {
		return nil, err
	}
	if f.namespace != "" && f.namespace != t.inode {
		return nil, errors.Join(ErrGone, t.Close())
	}
	t.Name = f.Name()
	return t, nil
}

// Close lets the namespace go.
func (t *Target) Close() error { return t.namespace.Close() }

// String names the target in messages.
func (t *Target) String() string {
	if t.Name == "" {
		return "process " + strconv.Itoa(t.PID)
	}
	return fmt.Sprintf("%s (process %d)", t.Name, t.PID)
}

// Refused is what must never be attached to: the mount namespaces of the host and
// of its lxcfs daemons.
type Refused struct {
	host    []string
	daemons map[string]bool
}

// Refuse looks for them.
func Refuse() (*Refused, error) {
	host, err := hostNamespaces()
	if err != nil {
		return nil, err
	}
	daemons, err := daemonNamespaces()
	return &Refused{host: host, daemons: daemons}, err
}

func (r *Refused) check(t *Target) error {
	switch {
	case slices.Contains(r.host, t.inode):
		return ErrHost
	case r.daemons[t.inode]:
		return ErrDaemon
	}
	return nil
}

// hostNamespaces lists the mount namespaces of this process and of the host's
// init, as far as that may be asked: an init can have rights that root of a
// restricted machine lacks.
func hostNamespaces() ([]string, error) {
	own, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return nil, err
	}
	namespaces := []string{own}
	init, err := os.Readlink("/proc/1/ns/mnt")
	switch {
	case err == nil:
		namespaces = append(namespaces, init)
	case !errors.Is(err, os.ErrPermission):
		return nil, err
	}
	return namespaces, nil
}

// daemonNamespaces are those that a daemon of the host is in. Another process that
// calls itself so counts as well.
func daemonNamespaces() (map[string]bool, error) {
	pids, err := processes()
	if err != nil {
		return nil, err
	}
	found := make(map[string]bool)
	for _, pid := range pids {
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err != nil || string(comm) != "lxcfs\n" {
			continue
		}
		inode, err := os.Readlink(mountNamespace(pid))
		if err != nil {
			continue
		}
		if ids, err := namespaceIDs(pid); err == nil && len(ids) == 1 {
			found[inode] = true
		}
	}
	return found, nil
}

func mountNamespace(pid int) string { return fmt.Sprintf("/proc/%d/ns/mnt", pid) }

// processes lists the process ids of the host.
func processes() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// namespaceIDs is a process's id in each pid namespace, outermost first.
func namespaceIDs(pid int) ([]uint32, error) {
	ids, err := procpid.Read(hostfile.OS{}, uint32(pid), "status", procpid.PIDs)
	return ids, gone(err)
}

// gone turns the errors of a process that ended into [ErrGone].
func gone(err error) error {
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL) {
		return ErrGone
	}
	return err
}
