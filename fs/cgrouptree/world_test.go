package cgrouptree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/hostfile"
	"linuxcontainers.org/lxcfs/cgroup/hostfile/hosttest"
	"linuxcontainers.org/lxcfs/fs/vfs"
)

// world is a made-up machine: /proc of an archive, and real directories as a v1
// memory hierarchy and a v2 one. In both are:
//
//	/box          of process 1000, pid 1 of a namespace
//	/box/app      of 1001 and its thread 1501
//	/box/in       of 1100, pid 1 of a namespace in that one, and 1101
//	/other        of 2000, pid 1 of another namespace
type world struct {
	hosttest.Archive
	t    *testing.T
	dir  string
	host *cgroup.Host
	tree *Tree
	// before is called before each file that is read or looked at.
	before func(name string)
}

func (w *world) Append(dst []byte, name string) ([]byte, error) {
	if f := w.before; f != nil {
		f(name)
	}
	return w.Archive.Append(dst, name)
}

func (w *world) Stat(name string) (hostfile.Info, error) {
	if f := w.before; f != nil {
		f(name)
	}
	return w.Archive.Stat(name)
}

// resolver answers by cgroup and namespace, as far as this world needs it.
func (w *world) Resolve(tid uint32) (container.Decision, error) {
	t, err := w.tree.task(tid)
	switch {
	case tid == 0:
		return container.Decision{Reason: container.ReasonInvisible}, nil
	case err != nil:
		return container.Decision{}, fmt.Errorf("caller %d: %w", tid, syscall.ESRCH)
	case t.depth() == 1:
		return container.Decision{Reason: container.ReasonRoot}, nil
	}
	for _, init := range []uint32{1100, 1000, 2000} {
		it, err := w.tree.task(init)
		if err != nil || it.depth() != t.depth() {
			continue
		}
		root, mine := w.cgroup(init), w.cgroup(tid)
		if mine != root && !strings.HasPrefix(mine, root+"/") {
			continue
		}
		m := cgroup.Membership{{Controllers: []string{"memory"}, Path: root}, {Path: root}}
		top := map[uint32]string{1000: "/box", 1100: "/box", 2000: "/other"}[init]
		return container.Decision{Top: top, Container: &container.Container{
			Key: container.Key{Inode: uint64(init)}, InitPID: init, StartTicks: 100 * uint64(init), Membership: m, PIDDepth: it.depth(),
		}}, nil
	}
	return container.Decision{Reason: container.ReasonNoUnit}, nil
}

func (w *world) cgroup(pid uint32) string {
	text := w.Files[fmt.Sprintf("/proc/%d/cgroup", pid)]
	_, p, _ := strings.Cut(text, ":memory:")
	p, _, _ = strings.Cut(p, "\n")
	return p
}

// proc is a process: ns are its ids below the host's, "12 1".
type proc struct {
	pid, ppid, tgid uint32
	ns, tgidNS      string
	cgroup          string
	uid             uint32 // host's
	userns          string // its uid_map and gid_map; "": the host's
	caps            uint64
}

const initialMap = "         0          0 4294967295\n"

func (w *world) add(p proc) {
	if p.tgid == 0 {
		p.tgid, p.tgidNS = p.pid, p.ns
	}
	if p.userns == "" {
		p.userns = initialMap
	}
	dir := fmt.Sprintf("/proc/%d/", p.pid)
	ids := strings.Repeat(fmt.Sprintf("\t%d", p.uid), 4)
	w.Files[dir+"status"] = fmt.Sprintf("Name:\tx\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nUid:%s\nGid:%s\nGroups:\t77 \nNStgid:\t%d %s\nNSpid:\t%d %s\nCapEff:\t%016x\n",
		p.tgid, p.pid, p.ppid, ids, ids, p.tgid, p.tgidNS, p.pid, p.ns, p.caps)
	w.Files[dir+"stat"] = fmt.Sprintf("%d (x) y) S 1 1 1 0 -1 0 1 1 0 0 1 1 1 1 20 0 1 0 %d 5 5\n", p.pid, 100*p.pid)
	w.Files[dir+"uid_map"], w.Files[dir+"gid_map"] = p.userns, p.userns
	w.Files[dir+"cgroup"] = "4:memory:" + p.cgroup + "\n0::" + p.cgroup + "\n"
	for _, h := range []string{"memory", "unified"} {
		file := "cgroup.procs"
		if p.tgid != p.pid {
			file = map[string]string{"memory": "tasks", "unified": "cgroup.threads"}[h]
		}
		w.append(h, p.cgroup+"/"+file, fmt.Sprintln(p.pid))
	}
}

func (w *world) append(hierarchy, name, text string) {
	w.t.Helper()
	f, err := os.OpenFile(filepath.Join(w.dir, hierarchy, name), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) path(hierarchy, name string) string { return filepath.Join(w.dir, hierarchy, name) }

// interfaceFiles of each cgroup made.
func interfaceFiles(hierarchy string) []string {
	if hierarchy == "memory" {
		return []string{"cgroup.procs", "tasks", "memory.limit_in_bytes", "cgroup.event_control", "notify_on_release"}
	}
	return []string{"cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "memory.max", "memory.pressure"}
}

func (w *world) mkcgroup(name string) {
	w.t.Helper()
	for _, h := range []string{"memory", "unified"} {
		if err := os.MkdirAll(w.path(h, name), 0o755); err != nil {
			w.t.Fatal(err)
		}
		for _, f := range interfaceFiles(h) {
			w.append(h, name+"/"+f, "")
		}
	}
}

const allCaps = 1<<41 - 1

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), Archive: hosttest.Archive{Files: make(map[string]string)}}
	for _, name := range []string{"/", "/box", "/box/app", "/box/app/deep", "/box/in", "/boxer", "/other", "/other/sub"} {
		w.mkcgroup(name)
	}
	me := uint32(os.Getuid())
	w.add(proc{pid: 1, cgroup: "/", ns: "", caps: allCaps})
	w.add(proc{pid: 1000, ppid: 1, ns: "1", cgroup: "/box", uid: me, caps: allCaps})
	w.add(proc{pid: 1001, ppid: 1000, ns: "7", cgroup: "/box/app", uid: me, caps: allCaps})
	w.add(proc{pid: 1501, ppid: 1000, tgid: 1001, tgidNS: "7", ns: "8", cgroup: "/box/app", uid: me})
	w.add(proc{pid: 1002, ppid: 1000, ns: "9", cgroup: "/box", uid: 4242})
	w.add(proc{pid: 1100, ppid: 1000, ns: "20 1", cgroup: "/box/in", uid: me, caps: allCaps})
	w.add(proc{pid: 1101, ppid: 1100, ns: "21 2", cgroup: "/box/in", uid: me})
	w.add(proc{pid: 2000, ppid: 1, ns: "1", cgroup: "/other", uid: me, caps: allCaps})
	w.add(proc{pid: 2001, ppid: 2000, ns: "30", cgroup: "/other", uid: me})
	w.add(proc{pid: 1700, ppid: 1, ns: "40", cgroup: "/box", uid: me, caps: allCaps}) // came in by lxc-attach
	w.add(proc{pid: 1800, ppid: 1000, ns: "50", cgroup: "/other/sub", uid: me})       // of the box, and moved out by the host
	w.host = &cgroup.Host{FS: w, Hierarchies: []cgroup.Hierarchy{
		{Version: 1, Controllers: []string{"memory"}, MountPoint: w.path("memory", ""), Root: "/"},
		{Version: 2, MountPoint: w.path("unified", ""), Root: "/"},
	}}
	w.tree = w.newTree()
	return w
}

// newTree is a tree as the next process makes it.
func (w *world) newTree() *Tree {
	w.t.Helper()
	tree, err := New(w.host, w)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		for _, h := range tree.hierarchies {
			syscall.Close(h.fd)
		}
	})
	return tree
}

func (w *world) caller(tid uint32) vfs.Caller {
	t, err := w.newTree().task(tid)
	if err != nil {
		return vfs.Caller{TID: tid}
	}
	return vfs.Caller{TID: tid, UID: t.uids[3], GID: t.gids[3]}
}

// walk looks a path up.
func (w *world) walk(tid uint32, name string) (vfs.Key, vfs.Attr, error) {
	var key vfs.Key
	var a vfs.Attr
	for c := range strings.SplitSeq(name, "/") {
		var err error
		if key, a, err = w.tree.Lookup(w.caller(tid), key, c); err != nil {
			return key, a, err
		}
	}
	return key, a, nil
}

func (w *world) mustWalk(tid uint32, name string) vfs.Key {
	w.t.Helper()
	key, _, err := w.walk(tid, name)
	if err != nil {
		w.t.Fatalf("caller %d, %s: %v", tid, name, err)
	}
	return key
}

func (w *world) list(tid uint32, name string) (string, error) {
	entries, err := w.tree.List(w.caller(tid), w.mustWalk(tid, name))
	var names []string
	for _, e := range entries {
		if e.Mode == syscall.S_IFDIR {
			names = append(names, e.Name)
		}
	}
	return sorted(names), err
}
