//go:build integration

package integration

import (
	native "encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// rounds is how often a hook runs against an attacker. Without the checks that it
// makes, some of so many went wrong, each time.
const rounds = 20

// swapper exchanges a directory of a root for a symbolic link that leads out of it,
// and back, until the test ends: renameat2(2) does it at once.
func swapper(t *testing.T, directory, link string) {
	t.Helper()
	end := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() {
		for {
			select {
			case <-end:
				return
			default:
				if err := exchange(directory, link); err != nil {
					t.Errorf("exchange: %v", err)
					return
				}
			}
		}
	})
	t.Cleanup(func() { close(end); working.Wait() })
}

// decoy is a directory outside, which has what lxcfs is bound over.
func decoy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"proc/meminfo", "proc/stat", "proc/uptime", "lib/lxcfs/x", "system/cpu/online", "cpu/online"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// outsideStage is a hook's work in a mount namespace; it prints where lxcfs is
// mounted but below the root, "inside" for a mount below it.
const outsideStage = `set -u
mount --make-rprivate /
mount -t proc proc "$1/proc" 2>/dev/null || mount -t proc proc "$1/proc2" 2>/dev/null
mount -t sysfs sysfs "$1/sys" 2>/dev/null
%s
awk -v root="$1/" -v tree="$2" '/ - fuse.lxcfs / && $5 != tree {print index($5, root) == 1 ? "inside" : $5}' /proc/self/mountinfo | sort -u`

// hookUnderAttack runs a hook again and again while a directory of its root is
// exchanged for a link, and fails when anything was mounted outside.
func hookUnderAttack(t *testing.T, d *daemon, root, directory string, hook string, args ...string) {
	t.Helper()
	for _, dir := range []string{"proc", "sys", "var/lib/lxcfs"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	outside := decoy(t)
	link := filepath.Join(filepath.Dir(root), "link")
	target := outside
	if directory == "proc" {
		target = filepath.Join(outside, "proc")
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	swapper(t, filepath.Join(root, directory), link)
	inside := 0
	for range rounds {
		args := append([]string{"--mount", "sh", "-c", fmt.Sprintf(outsideStage, hook), "sh", root, d.dir}, args...)
		out, err := exec.Command("unshare", args...).Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for line := range strings.Lines(string(out)) {
			switch line := strings.TrimSpace(line); {
			case line == "inside":
				inside++
			case strings.HasPrefix(line, outside):
				t.Errorf("mounted outside of the root: %s", line)
			}
		}
	}
	if inside == 0 {
		t.Error("nothing was ever mounted: the test tests nothing")
	}
}

func TestLXCHookAndLinks(t *testing.T) {
	d := start(t)
	hook, err := filepath.Abs("../../hooks/lxc/lxc.mount.hook")
	if err != nil {
		t.Fatal(err)
	}
	for _, directory := range []string{"proc", "var"} {
		t.Run(directory, func(t *testing.T) {
			hookUnderAttack(t, d, filepath.Join(t.TempDir(), "root"), directory,
				`PATH=$4:$PATH LXC_NAME=c1 LXC_ROOTFS_MOUNT=$1 LXCFS_MOUNTPOINT=$2 sh "$3" c1 lxc mount 2>/dev/null`, hook, quietLogger(t))
		})
	}
}

// quietLogger is a directory with a logger(1) that says nothing to the machine's log.
func quietLogger(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "logger"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOCIHookAndLinks(t *testing.T) {
	d := start(t)
	bundle := t.TempDir()
	hookUnderAttack(t, d, filepath.Join(bundle, "rootfs"), "proc",
		`echo "$3" | LXCFS_MOUNTPOINT=$2 "$4" 2>/dev/null`, bundleState(t, bundle), tool(t, "lxcfs-oci-hook"))
}

// bundleState makes a bundle whose root is rootfs, and returns what a hook is told.
func bundleState(t *testing.T, bundle string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(`{"root":{"path":"rootfs"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"ociVersion":"1.2.0","id":"c1","status":"creating","pid":1,"bundle":%q}`, bundle)
}

// onHost counts the lxcfs mounts below a directory that this process sees.
func onHost(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	for line := range strings.Lines(mustRead(t, "/proc/self/mountinfo")) {
		if strings.Contains(line, " fuse.lxcfs ") && strings.HasPrefix(strings.Fields(line)[4], dir) {
			n++
		}
	}
	return n
}

// sharedSys mounts a sysfs, which is the host's, at a directory, in a peer group.
func sharedSys(t *testing.T, dir string) {
	t.Helper()
	needRoot(t)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("sysfs", dir, "sysfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for syscall.Unmount(dir, syscall.MNT_DETACH) == nil {
		}
	})
	if err := syscall.Mount("", dir, "", syscall.MS_SHARED, ""); err != nil {
		t.Fatal(err)
	}
}

// With the host's /sys as a volume that propagates (podman -v /sys:/sys:rshared),
// the hook would put a container's files over the host's.
func TestHooksAndSharedVolumes(t *testing.T) {
	d := start(t)
	hook, err := filepath.Abs("../../hooks/lxc/lxc.mount.hook")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, run string }{
		{"OCI", `echo "$3" | LXCFS_MOUNTPOINT=$2 "$4" 2>&1`},
		{"LXC", `PATH=$6:$PATH LXC_NAME=c1 LXC_ROOTFS_MOUNT=$1 LXCFS_MOUNTPOINT=$2 sh "$5" c1 lxc mount 2>&1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bundle := t.TempDir()
			root := filepath.Join(bundle, "rootfs")
			sharedSys(t, filepath.Join(root, "sys"))
			script := `mkdir -p "$1/proc" && mount -t proc proc "$1/proc" && mount --make-private "$1/proc"` + "\n" + tt.run
			out, err := exec.Command("unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, "sh",
				root, d.dir, bundleState(t, bundle), tool(t, "lxcfs-oci-hook"), hook, quietLogger(t)).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			wants(t, string(out), "shared with the host's")
			if n := onHost(t, root); n > 0 {
				t.Errorf("%d mounts of lxcfs on the host, want none", n)
			}
		})
	}
}

// A container that has the host's mounts in a peer group and puts them over its
// /proc while it is attached to.
func TestAttachAndMovingMounts(t *testing.T) {
	d := start(t)
	shared := filepath.Join(t.TempDir(), "sys")
	sharedSys(t, shared)
	b := bare(t, "--propagation", "unchanged")
	b.run("mount --make-rprivate /proc; mount -t sysfs sysfs /sys; mount --make-private /sys")
	b.run("(while :; do mount --bind " + shared + " /sys; umount /sys; done) >/dev/null 2>&1 &")
	pid := b.init()
	done := 0
	for range rounds {
		if out, err := lxcfsctl(t, d, "attach", pid); err == nil && strings.Contains(out, "attached") {
			done++
		}
		if n := onHost(t, shared); n > 0 {
			t.Fatalf("%d mounts of lxcfs on the host, want none", n)
		}
		lxcfsctl(t, d, "detach", pid)
	}
	if done == 0 {
		t.Error("it was never attached to: the test tests nothing")
	}
}

// What a container mounts in a directory of lxcfs is seen by nobody else, whatever
// the propagation of the mounts that the hook found.
func TestHookMountsArePrivate(t *testing.T) {
	d := start(t)
	bundle := t.TempDir()
	if err := syscall.Mount("", d.dir, "", syscall.MS_SHARED, ""); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(bundle, "rootfs")
	script := `mkdir -p "$1/proc" "$1/sys" && mount -t tmpfs none "$1" && mount --make-private "$1" && mkdir "$1/proc" "$1/sys" &&
mount -t proc proc "$1/proc" && mount -t sysfs sysfs "$1/sys" && echo "$3" | LXCFS_MOUNTPOINT=$2 "$4" &&
mount -t tmpfs evil "$1/sys/devices/system/cpu/cpu0"`
	out, err := exec.Command("unshare", "--mount", "--propagation", "unchanged", "sh", "-c", script, "sh",
		root, d.dir, bundleState(t, bundle), tool(t, "lxcfs-oci-hook")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if text := mustRead(t, "/proc/self/mountinfo"); strings.Contains(text, " evil ") {
		t.Error("a container's mount is over the host's lxcfs")
		syscall.Unmount(filepath.Join(d.dir, "sys/devices/system/cpu/cpu0"), syscall.MNT_DETACH)
	}
}

func exchange(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}

// evilFUSE mounts a filesystem over the /proc of a container whose server answers
// what a mount needs and nothing else. It returns the opcodes of what was asked else.
func evilFUSE(t *testing.T, b *box) <-chan uint32 {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	device := os.NewFile(uintptr(fd), "/dev/fuse")
	t.Cleanup(func() { device.Close() })
	mount := exec.Command("nsenter", "--target", b.init(), "--mount", "--",
		"mount", "-i", "-t", "fuse", "-o", "fd=3,rootmode=40000,user_id=0,group_id=0,allow_other,subtype=evil", "evil", "/proc")
	mount.ExtraFiles = []*os.File{device}
	if out, err := mount.CombinedOutput(); err != nil {
		t.Fatalf("mount: %v\n%s", err, out)
	}
	asked := make(chan uint32, 1000)
	go serveInit(device, asked)
	return asked
}

// serveInit answers INIT (linux/fuse.h, fuse_init_out) and says what else comes.
func serveInit(device *os.File, asked chan<- uint32) {
	const opInit = 26
	request := make([]byte, 1<<18)
	for {
		n, err := device.Read(request)
		if err != nil {
			return
		}
		if n < 16 {
			continue
		}
		if op := native.NativeEndian.Uint32(request[4:]); op != opInit {
			asked <- op
			continue
		}
		answer := make([]byte, 16+64)
		native.NativeEndian.PutUint32(answer, uint32(len(answer)))
		copy(answer[8:], request[8:16])                        // unique
		native.NativeEndian.PutUint32(answer[16:], 7)          // major
		native.NativeEndian.PutUint32(answer[20:], 31)         // minor
		native.NativeEndian.PutUint32(answer[16+20:], 128<<10) // max_write
		if _, err := device.Write(answer); err != nil {
			return
		}
	}
}

// Who serves the /proc of a container decides how long a name in it is looked up,
// beyond a SIGKILL: nobody looks there.
func TestAttachStaysOutOfFUSE(t *testing.T) {
	d := start(t)
	b := bare(t)
	pid := b.init()
	asked := evilFUSE(t, b)
	wants(t, mustLxcfsctl(t, d, "attach", "-v", pid), "skip     /proc/meminfo: not a file of the kernel's", "attach   /sys/devices/system/cpu")
	mustLxcfsctl(t, d, "detach", pid)
	select {
	case op := <-asked:
		t.Errorf("asked the container's FUSE server for operation %d", op)
	default:
	}
}
