package attach

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/hooks/bind"
	"linuxcontainers.org/lxcfs/units/mount"
)

// childName is argv[0] of the child.
const childName = "lxcfs-attach-child"

// childNamespace is the child's descriptor of the container's mount namespace.
const childNamespace = 3

// probeTimeout bounds the question whether a mount is dead.
const probeTimeout = 3 * time.Second

// reply is what the child writes to its standard output.
type reply struct {
	Result
	Error string `json:"error,omitempty"`
}

// IsChild reports whether this process was started by [Run]; its main function
// must then do nothing but exit with [ChildMain]'s status.
func IsChild(args []string) bool { return len(args) == 1 && args[0] == childName }

// ChildMain does what standard input asks for in the mount namespace of
// descriptor 3, and writes a reply to standard output.
func ChildMain() int {
	runtime.LockOSThread() // this thread alone changes its namespace
	var request Request
	var answer reply
	err := json.NewDecoder(os.Stdin).Decode(&request)
	if err == nil {
		answer.Changes, err = child(request)
	}
	if err != nil {
		answer.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		return 1
	}
	return 0
}

func child(request Request) ([]Change, error) {
	w, err := begin(request)
	if err != nil {
		return nil, err
	}
	if err := enter(childNamespace); err != nil {
		return nil, err
	}
	if err := w.look(); err != nil {
		return nil, err
	}
	changes, err := w.plan()
	if err != nil || request.DryRun {
		return changes, err
	}
	clones, err := w.cloneAll(changes)
	if err != nil {
		return nil, err
	}
	a := &applier{places: w.places, clones: clones}
	if err := a.apply(changes); err != nil {
		return nil, fmt.Errorf("nothing was changed: %w", err)
	}
	return changes, nil
}

// worker is a child at work.
type worker struct {
	planner
	own    int // a private copy of the host's mount namespace
	thread int // /proc/thread-self of the host, which stays this thread's
	places *places
}

// begin reads all that must be read on the host, and leaves the host's mount
// namespace for a copy whose mounts propagate nowhere: what is cloned of them
// joins no peer group of the host's.
func begin(request Request) (*worker, error) {
	w := &worker{planner: planner{request: request}}
	var err error
	if w.hostGroups, err = hostGroups(); err != nil {
		return nil, err
	}
	if !request.Detach {
		if w.served, err = bind.Served(os.DirFS(request.Tree)); err != nil {
			return nil, fmt.Errorf("%s: %w", request.Tree, err)
		}
		if w.tree, err = treeDevice(request.Tree); err != nil {
			return nil, err
		}
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return nil, os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("propagation of own mounts: %w", err)
	}
	if w.thread, err = open("/proc/thread-self", unix.O_PATH|unix.O_DIRECTORY); err != nil {
		return nil, err
	}
	w.own, err = open("/proc/thread-self/ns/mnt", unix.O_RDONLY)
	return w, err
}

// hostGroups are the peer groups of the mounts of the host's init: this process
// may have a mount namespace of its own.
func hostGroups() (map[int]bool, error) {
	table, err := mount.ReadFile(hostfile.OS{}, "/proc/1/mountinfo")
	return table.PeerGroups(), err
}

// treeDevice is the device of the lxcfs at a path, which must be one.
func treeDevice(tree string) (device, error) {
	table, err := mount.ReadTable(hostfile.OS{})
	if err != nil {
		return device{}, err
	}
	path, err := table.Resolve(tree)
	if err != nil {
		return device{}, err
	}
	e, ok := table.At(path)
	if !ok || !e.Ours() || e.Root != "/" {
		return device{}, fmt.Errorf("%s: %w", tree, bind.ErrNothing)
	}
	return deviceOf(e), nil
}

// look reads what is mounted in the container, from within.
func (w *worker) look() error {
	root, err := open("/", unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	info, err := unix.Openat(w.thread, "mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("mountinfo of the container: %w", err)
	}
	file := os.NewFile(uintptr(info), "mountinfo of the container")
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	table, err := mount.ParseTable(content)
	if err != nil {
		return fmt.Errorf("%s: %w", file.Name(), err)
	}
	w.table = table.Reachable()
	w.index = w.table.Index()
	w.places = newPlaces(&w.planner, root, w.thread)
	w.dead, w.lacks = w.ask, w.places.whyNot
	return nil
}

// ask asks the topmost mount at a path for its statistics, which a dead
// connection refuses at once. One that does not answer is alive: somebody holds
// it. It is asked from another thread, which may stay behind.
func (w *worker) ask(path string) (bool, error) {
	top, _ := w.index.At(path)
	place, err := w.places.top(path, top)
	if err != nil {
		return false, err
	}
	answer := make(chan error, 1)
	go func() {
		var st unix.Statfs_t
		answer <- unix.Fstatfs(place, &st)
	}()
	select {
	case err = <-answer:
	case <-time.After(probeTimeout):
		return false, nil
	}
	unix.Close(place)
	if err != nil && err != unix.ENOTCONN {
		return false, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return err != nil, nil
}

// cloneAll clones what the changes bind, in the own namespace, and comes back.
func (w *worker) cloneAll(changes []Change) (map[string]int, error) {
	if err := enter(w.own); err != nil {
		return nil, err
	}
	clones := make(map[string]int)
	for _, c := range changes {
		if c.source == "" {
			continue
		}
		fd, err := bind.Clone(w.request.Tree, c.source)
		if errors.Is(err, unix.ENOENT) && !kernelFile(c.Path) {
			continue // a file that only the other lxcfs serves; apply says so
		}
		if err != nil {
			return nil, err
		}
		clones[c.Path] = fd
	}
	return clones, enter(childNamespace)
}

func enter(namespace int) error {
	return os.NewSyscallError("setns", unix.Setns(namespace, unix.CLONE_NEWNS))
}

func open(path string, flags int) (int, error) {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}
