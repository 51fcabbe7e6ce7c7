// Package lxc has no code: its tests run the hooks of LXC on made-up roots, with
// a mount(8) that only writes down what it is asked for.
package lxc

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"linuxcontainers.org/lxcfs/fs/served"
	"linuxcontainers.org/lxcfs/hooks/bind"
)

// world is a served tree, a container's root and a place for tools.
type world struct {
	t                 *testing.T
	tree, root, tools string
	env               []string
}

func newWorld(t *testing.T, name string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, tree: filepath.Join(dir, "tree"), root: filepath.Join(dir, name), tools: filepath.Join(dir, "tools")}
	w.write(w.tree, "proc/meminfo", "proc/stat", "proc/new file", "proc/pressure/io", "sys/devices/system/cpu/online")
	w.write(w.root, "proc/meminfo", "proc/stat", "proc/pressure/io", "proc/version", "sys/devices/system/cpu/online")
	w.tool("logger", `printf '%s\n' "$6" >>"$0.log"`)
	w.tool("stat", "echo proc")
	w.tool("mount", mountTool)
	return w
}

// mountTool writes down what it is asked for: mount -n -o bind SOURCE NAME, where NAME
// is in the directory that it is started in.
const mountTool = `[ "$1" != --help ] || exit 0
[ "$5" = . ] && set -- "$1" "$2" "$3" "$4" ""
printf '%s\n' "$4 $(pwd -P)${5#.}" >>"$0.log"`

// write makes files below dir.
func (w *world) write(dir string, names ...string) {
	w.t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) tool(name, script string) {
	w.t.Helper()
	if err := os.MkdirAll(w.tools, 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.tools, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

// run runs the hook and returns what was bound, "SOURCE TARGET" below the tree
// and the root, what was said, and whether it succeeded.
func (w *world) run() (bound []string, said string, ok bool) {
	w.t.Helper()
	cmd := exec.Command("sh", "./lxc.mount.hook", "c1", "lxc", "mount")
	cmd.Env = append([]string{
		"PATH=" + w.tools + ":" + os.Getenv("PATH"), "LXC_NAME=c1",
		"LXC_ROOTFS_MOUNT=" + w.root, "LXCFS_MOUNTPOINT=" + w.tree,
	}, w.env...)
	out, err := cmd.CombinedOutput()
	log, _ := os.ReadFile(filepath.Join(w.tools, "mount.log"))
	text := strings.NewReplacer(w.tree+"/", "", w.root+"/", "/").Replace(string(log))
	if text = strings.TrimSuffix(text, "\n"); text != "" {
		bound = strings.Split(text, "\n")
	}
	slices.Sort(bound)
	return bound, string(out), err == nil
}

var files = []string{
	"proc/meminfo /proc/meminfo", "proc/pressure/io /proc/pressure/io", "proc/stat /proc/stat",
	"sys/devices/system/cpu/online /sys/devices/system/cpu/online",
}

func expect(t *testing.T, w *world, want []string, message string, success bool) {
	t.Helper()
	bound, said, ok := w.run()
	if !slices.Equal(bound, want) {
		t.Errorf("bound %q, want %q", bound, want)
	}
	if message == "" && said != "" || !strings.Contains(said, message) {
		t.Errorf("said %q, want %q", said, message)
	}
	logged, _ := os.ReadFile(filepath.Join(w.tools, "logger.log"))
	if !strings.Contains(string(logged), message) {
		t.Errorf("logged %q, want %q", logged, message)
	}
	if ok != success {
		t.Errorf("success %v, want %v", ok, success)
	}
}

func TestMountHook(t *testing.T) {
	t.Run("each served file over the container's, where it has one", func(t *testing.T) {
		expect(t, newWorld(t, "root"), files, "", true)
	})
	t.Run("a root with an odd name", func(t *testing.T) {
		expect(t, newWorld(t, "-a b*$(c)\"'\\\n"), files, "", true)
	})
	t.Run("all of the cpu directory when all of it is served", func(t *testing.T) {
		w := newWorld(t, "root")
		w.write(w.tree, "sys/devices/system/cpu/uevent", "sys/devices/system/node/online")
		w.write(w.root, "sys/devices/system/node/online")
		want := append(slices.Clone(files[:3]), "sys/devices/system/cpu /sys/devices/system/cpu",
			"sys/devices/system/node/online /sys/devices/system/node/online")
		expect(t, w, want, "", true)
	})
	t.Run("all disks", func(t *testing.T) {
		w := newWorld(t, "root")
		w.write(w.tree, "sys/block/vda/stat")
		w.write(w.root, "sys/block/sda/stat")
		want := slices.Insert(slices.Clone(files), 3, "sys/block /sys/block")
		expect(t, w, want, "", true)
	})
	t.Run("the tree itself for nested containers", func(t *testing.T) {
		w := newWorld(t, "root")
		w.write(w.root, "var/lib/lxcfs/x")
		expect(t, w, append([]string{". /var/lib/lxcfs"}, files...), "", true)
	})
	t.Run("a target behind a symbolic link is left alone", func(t *testing.T) {
		w := newWorld(t, "root")
		if err := os.Remove(filepath.Join(w.root, "proc/meminfo")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("version", filepath.Join(w.root, "proc/meminfo")); err != nil {
			t.Fatal(err)
		}
		expect(t, w, files[1:], "/proc/meminfo is behind a symbolic link", true)
	})
}

func TestMountHookFails(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(w *world)
		want    []string
		message string
	}{
		{"lxcfs is not there", func(w *world) { os.RemoveAll(w.tree) }, nil, "does not answer"},
		{"no root", func(w *world) { w.env = []string{"LXC_ROOTFS_MOUNT="} }, nil, "LXC_ROOTFS_MOUNT is not set"},
		{"a root that is not there", func(w *world) { w.env = []string{"LXC_ROOTFS_MOUNT=/no/such"} }, nil, "no such directory"},
		{"the host's root", func(w *world) { w.env = []string{"LXC_ROOTFS_MOUNT=/proc/.."} }, nil, "root is the host's"},
		{"mount fails", func(w *world) { w.tool("mount", "exit 32") }, nil, "/proc/meminfo: not bound"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, "root")
			tt.change(w)
			expect(t, w, tt.want, tt.message, true)
			w.env = append(w.env, "LXCFS_HOOK_STRICT=1")
			expect(t, w, tt.want, tt.message, false)
		})
	}
}

// The hook, a shell script, binds what package bind says, by what a tree serves.
func TestMountHookIsAsBind(t *testing.T) {
	w := newWorld(t, "root")
	if err := os.RemoveAll(w.tree); err != nil {
		t.Fatal(err)
	}
	for _, p := range served.Paths() {
		switch {
		case p.Kind == served.File:
			w.write(w.tree, p.Name)
			w.write(w.root, p.Name)
		case p.Bound():
			w.write(w.tree, p.Name+"/uevent")
			w.write(w.root, p.Name+"/uevent")
		}
	}
	var want []string
	for _, path := range bind.Files() {
		want = append(want, path[1:]+" "+path)
	}
	expect(t, w, want, "", true)
}

// The cgroup tree is bound where the container has no cgroup namespace: then
// /proc/self/cgroup shows a path, as it does for this test or does not.
func TestMountHookCgroups(t *testing.T) {
	w := newWorld(t, "root")
	w.write(w.tree, "cgroup/memory/tasks", "cgroup/cpu,cpuacct/tasks", "cgroup/unified/cgroup.procs")
	w.write(w.root, "sys/fs/cgroup/memory/tasks", "sys/fs/cgroup/cpu,cpuacct/tasks")
	if err := os.Symlink("cpu,cpuacct", filepath.Join(w.root, "sys/fs/cgroup/cpu")); err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(files)
	if !namespaced(t) {
		want = append([]string{
			"cgroup/cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct", "cgroup/memory /sys/fs/cgroup/memory", "cgroup/unified /sys/fs/cgroup",
		}, files...)
	}
	expect(t, w, want, "", true)
}

// Where a service of its own serves the cgroup tree, that one is bound.
func TestMountHookCgroupService(t *testing.T) {
	w := newWorld(t, "root")
	own := filepath.Join(t.TempDir(), "own")
	w.env = append(w.env, "LXCFS_CGROUP_MOUNTPOINT="+own)
	w.write(own, "cgroup/memory/tasks")
	w.write(w.tree, "cgroup/memory/tasks")
	w.write(w.root, "sys/fs/cgroup/memory/tasks")
	want := slices.Clone(files)
	if !namespaced(t) {
		want = append([]string{own + "/cgroup/memory /sys/fs/cgroup/memory"}, want...)
	}
	slices.Sort(want)
	expect(t, w, want, "", true)
}

func namespaced(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(line, ":/\n") {
			return false
		}
	}
	return true
}

func TestRebootHook(t *testing.T) {
	if out, err := exec.Command("sh", "./lxc.reboot.hook").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("got %q, %v", out, err)
	}
}
