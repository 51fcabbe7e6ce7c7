//go:build integration

package integration

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// limits are a container's; empty strings are no limit.
type limits struct {
	memory string // bytes
	cpus   string // CPU list
	quota  string // microseconds of each 100 000
}

// box is a container made by hand: cgroups, a pid namespace, a mount namespace
// with the files of a daemon bound over its own, and a shell as its init.
type box struct {
	t       *testing.T
	name    string
	cgroups []string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

var boxes atomic.Int64

// v1 says which controllers have a v1 hierarchy here.
func v1Controllers() []string {
	var have []string
	for _, c := range []string{"memory", "cpuset", "cpu", "cpuacct", "pids", "blkio"} {
		if _, err := os.Stat("/sys/fs/cgroup/" + c + "/cgroup.procs"); err == nil {
			have = append(have, c)
		}
	}
	return have
}

// newBox starts a container whose cgroup is below that of its parent (nil: the
// root cgroup), with the files of d bound.
func newBox(t *testing.T, d *daemon, l limits, parent *box) *box {
	t.Helper()
	if len(v1Controllers()) < 5 {
		t.Skipf("needs cgroup v1 controllers; have: %q (v2 is tested in the VM)", v1Controllers())
	}
	b := &box{t: t, name: fmt.Sprintf("lxcfs-test-%d-%d", os.Getpid(), boxes.Add(1))}
	if parent != nil {
		b.name = filepath.Join(parent.name, b.name)
	}
	t.Cleanup(b.remove)
	b.makeCgroups(l)
	b.start(d)
	return b
}

func (b *box) makeCgroups(l limits) {
	b.t.Helper()
	for _, c := range v1Controllers() {
		dir := filepath.Join("/sys/fs/cgroup", c, b.name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.t.Fatal(err)
		}
		b.cgroups = append(b.cgroups, dir)
	}
	dir := "/sys/fs/cgroup/cpuset"
	for _, name := range strings.Split(b.name, "/") {
		parent := dir
		dir = filepath.Join(dir, name)
		for _, file := range []string{"/cpuset.mems", "/cpuset.cpus"} { // a new one has none
			if strings.TrimSpace(mustRead(b.t, dir+file)) == "" {
				b.write(dir+file, strings.TrimSpace(mustRead(b.t, parent+file)))
			}
		}
	}
	b.limit(l)
}

// limit sets limits, also those of a running container.
func (b *box) limit(l limits) {
	b.t.Helper()
	for file, value := range map[string]string{
		"memory/" + b.name + "/memory.limit_in_bytes": l.memory,
		"cpuset/" + b.name + "/cpuset.cpus":           l.cpus,
		"cpu/" + b.name + "/cpu.cfs_quota_us":         l.quota,
	} {
		if value != "" {
			b.write("/sys/fs/cgroup/"+file, value)
		}
	}
}

func (b *box) write(path, value string) {
	b.t.Helper()
	if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// bind is what a runtime's hook does.
const bind = `
for f in "$1"/proc/*; do
	if [ -f "$f" ] && [ -e "/proc/${f##*/}" ]; then mount --bind "$f" "/proc/${f##*/}"; fi
done
mount --bind "$1/sys/devices/system/cpu/online" /sys/devices/system/cpu/online
exec sh`

func (b *box) start(d *daemon) {
	b.t.Helper()
	const script = `mnt=$1; shift; for dir; do echo $$ >"$dir/cgroup.procs"; done
exec unshare --pid --fork --kill-child --mount --mount-proc sh -euc '` + bind + `' sh "$mnt"`
	b.cmd = exec.Command("sh", append([]string{"-euc", script, "sh", d.dir}, b.cgroups...)...)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b.cmd.Stderr = os.Stderr
	var err error
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		b.t.Fatal(err)
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	b.out = bufio.NewReader(out)
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	if got := b.run("echo $$"); strings.TrimSpace(got) != "1" {
		b.t.Fatalf("the container's shell has pid %q, want 1", got)
	}
}

// run runs a command as a child of the container's init and returns what it
// prints.
func (b *box) run(command string) string {
	b.t.Helper()
	const end = "--end of output--"
	fmt.Fprintf(b.in, "(%s\n) </dev/null 2>&1; echo; echo '%s'\n", command, end)
	var text strings.Builder
	for {
		line, err := b.out.ReadString('\n')
		if err != nil {
			b.t.Fatalf("container %s: %v after %q", b.name, err, text.String())
		}
		if strings.TrimSpace(line) == end {
			return strings.TrimSuffix(text.String(), "\n")
		}
		text.WriteString(line)
	}
}

// kill ends the container.
func (b *box) kill() {
	if b.in != nil {
		b.in.Close()
	}
	if b.cmd != nil && b.cmd.Process != nil {
		b.cmd.Process.Kill()
		b.cmd.Wait()
	}
}

func (b *box) remove() {
	b.kill()
	for _, dir := range b.cgroups {
		deadline := time.Now().Add(patience)
		for err := os.Remove(dir); err != nil && !os.IsNotExist(err); err = os.Remove(dir) {
			if time.Now().After(deadline) {
				b.t.Errorf("cgroup left behind: %s: %v", dir, err)
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}
