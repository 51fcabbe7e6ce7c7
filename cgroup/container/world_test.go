package container

import (
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

const (
	idA = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	idB = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
)

// proc is a task of a made-up machine.
type proc struct {
	pid, ppid uint32
	ns        string // process ids below the host's, "12 1"; "" on the host
	cg        string // v2 path, or the whole file when it has a ':'
	start     uint64 // ticks; 0: 100 * pid
	tgid      uint32 // 0: pid
	root      int    // root mount id; 0: 27, the host's
	dev       string // of the root mount; "": 0:24, the host's
	mounts    int    // how many KiB of further mounts there are
	comm      string
	old       bool // a kernel that has no NStgid
	exiting   bool // in do_exit
}

// world is a machine whose files can change under the reader.
type world struct {
	*hosttest.Archive
	mu    sync.Mutex // guards reads and bytes
	reads int
	bytes int // that AppendHead gave
	// before is called before each access, with the file's name.
	before func(name string)
}

func (w *world) touch(name string) {
	w.mu.Lock()
	w.reads++
	w.mu.Unlock()
	if f := w.before; f != nil {
		f(name)
	}
}

func (w *world) Append(dst []byte, name string) ([]byte, error) {
	w.touch(name)
	return w.Archive.Append(dst, name)
}

func (w *world) AppendHead(dst []byte, name string, limit int) ([]byte, error) {
	w.touch(name)
	out, err := w.Archive.Append(dst, name)
	out = out[:min(len(out), len(dst)+limit)]
	w.mu.Lock()
	w.bytes += len(out) - len(dst)
	w.mu.Unlock()
	return out, err
}

func (w *world) Stat(name string) (hostfile.Info, error) {
	w.touch(name)
	return w.Archive.Stat(name)
}

func (w *world) ReadDir(name string) ([]string, error) {
	w.touch(name)
	return w.Archive.ReadDir(name)
}

// add adds or replaces a process.
func (w *world) add(p proc) {
	dir := procpid.Dir(p.pid)
	tgid := p.tgid
	if tgid == 0 {
		tgid = p.pid
	}
	if p.start == 0 {
		p.start = 100 * uint64(p.pid)
	}
	if p.comm == "" {
		p.comm = "sh"
	}
	ns := strings.TrimSpace(fmt.Sprintf("%d %s", tgid, p.ns))
	status := fmt.Sprintf("Name:\t%s\nUmask:\t0022\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\n", p.comm, tgid, p.pid, p.ppid)
	if !p.old {
		status += "NStgid:\t" + strings.ReplaceAll(ns, " ", "\t") + "\nNSpid:\t" + strings.ReplaceAll(ns, " ", "\t") + "\n"
	}
	w.Files[dir+"/status"] = status
	flags := 4194560
	if p.exiting {
		flags |= 0x4 // PF_EXITING
	}
	w.Files[dir+"/stat"] = fmt.Sprintf("%d (%s) S %d 1 1 0 -1 %d 1 1 0 0 1 1 1 1 20 0 1 0 %d 5 5\n", p.pid, p.comm, p.ppid, flags, p.start)
	w.Files[dir+"/comm"] = p.comm + "\n"
	w.Files[procpid.Dir(tgid)+"/task/"+fmt.Sprint(p.pid)+"/comm"] = p.comm
	root := p.root
	if root == 0 {
		root = 27
	}
	dev := p.dev
	if dev == "" {
		dev = "0:24"
	}
	w.Files[dir+"/mountinfo"] = fmt.Sprintf("%d 1 %s / / rw - ext4 /dev/root rw\n%d %d 0:5 / /proc rw - proc proc rw\n", root, dev, root+1, root)
	w.Files[dir+"/mountinfo"] += strings.Repeat(fmt.Sprintf("%d %d 0:6 / /%s rw - tmpfs tmpfs rw\n", root+1, root, strings.Repeat("m", 1000)), p.mounts)
	if strings.Contains(p.cg, ":/") {
		w.Files[dir+"/cgroup"] = p.cg
		return
	}
	w.Files[dir+"/cgroup"] = "0::" + p.cg + "\n"
	if tgid == p.pid {
		w.cgroup(p.cg)
		w.Files[cgDir(p.cg)+"/cgroup.procs"] += fmt.Sprintf("%d\n", p.pid)
	}
}

func cgDir(path string) string { return strings.TrimSuffix("/sys/fs/cgroup"+path, "/") }

// cgroup makes a cgroup and those above it.
func (w *world) cgroup(path string) {
	for ; ; path = parentPath(path) {
		if name := cgDir(path) + "/cgroup.procs"; w.Files[name] == "" {
			w.Files[name] = ""
		}
		if path == "/" {
			return
		}
	}
}

// chown gives a cgroup to a user.
func (w *world) chown(path string, uid uint32) {
	w.Dirs[cgDir(path)] = hostfile.Info{UID: uid}
}

func (w *world) kill(pid uint32) {
	for _, f := range []string{"status", "stat", "mountinfo", "cgroup", "comm"} {
		delete(w.Files, procpid.Dir(pid)+"/"+f)
	}
	delete(w.Dirs, procpid.Dir(pid))
	for name := range w.Files {
		if strings.HasPrefix(name, procpid.Dir(pid)+"/task/") {
			delete(w.Files, name)
		}
	}
	for name, content := range w.Files {
		if strings.HasSuffix(name, "/cgroup.procs") {
			lines := "\n" + content
			lines = strings.Replace(lines, fmt.Sprintf("\n%d\n", pid), "\n", 1)
			w.Files[name] = lines[1:]
		}
	}
}

// reuse gives a pid to a new process.
func (w *world) reuse(p proc) {
	w.kill(p.pid)
	w.add(p)
	w.Dirs[procpid.Dir(p.pid)] = hostfile.Info{Dev: 1, Inode: uint64(1_000_000 + w.reads), Mode: fs.ModeDir}
}

const v2Mounts = "27 1 0:24 / / rw - ext4 /dev/root rw\n31 27 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

// newWorld returns a v2 machine with systemd as pid 1 and these processes.
func newWorld(procs ...proc) *world {
	w := &world{Archive: &hosttest.Archive{
		Files: map[string]string{
			"/proc/self/mountinfo":              v2Mounts,
			"/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
		},
		Errors: map[string]error{},
		Dirs:   map[string]hostfile.Info{},
	}}
	w.add(proc{pid: 1, cg: "/init.scope", start: 1})
	for _, p := range procs {
		w.add(p)
	}
	return w
}

func (w *world) resolver(t *testing.T, opts Options) *Resolver {
	t.Helper()
	host, err := cgroup.Detect(w)
	if err != nil {
		t.Fatal(err)
	}
	return New(host, opts)
}

func mustResolve(t *testing.T, r *Resolver, tid uint32) Decision {
	t.Helper()
	d, err := r.Resolve(tid)
	if err != nil {
		t.Fatalf("Resolve(%d): %v", tid, err)
	}
	return d
}

// gist is what a table says of a decision: kind, runtime, name, cgroup, init, and
// the claimed name if there is one.
func gist(c *Container) string {
	if c == nil {
		return "host"
	}
	claimed := ""
	if c.Claimed != "" {
		claimed = " claims " + c.Claimed
	}
	return fmt.Sprintf("%v %q %q %s init %d%s", c.Kind, c.Runtime, c.Name, c.CgroupPath, c.InitPID, claimed)
}
