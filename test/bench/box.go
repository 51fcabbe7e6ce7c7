package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// layout says where cgroups are.
type layout struct {
	v2     bool
	mounts []string // of hierarchies
}

func (l layout) String() string {
	if l.v2 {
		return "v2"
	}
	return "v1"
}

// findLayout looks at the mounts of a distribution: v2 where it has the memory
// controller, else v1.
func findLayout() layout {
	const top = "/sys/fs/cgroup"
	if text, err := os.ReadFile(top + "/cgroup.controllers"); err == nil && strings.Contains(string(text), "memory") {
		return layout{v2: true, mounts: []string{top}}
	}
	var l layout
	for _, c := range []string{"memory", "cpu", "cpuacct", "cpuset", "blkio", "pids", "devices", "systemd"} {
		if _, err := os.Stat(filepath.Join(top, c, "cgroup.procs")); err == nil {
			l.mounts = append(l.mounts, filepath.Join(top, c))
		}
	}
	return l
}

// make makes cgroups, one below the other, in each hierarchy, and returns the
// innermost and all. The outermost has limits.
func (l layout) make(name string, depth int) (leaves, all []string, err error) {
	for _, m := range l.mounts {
		dir := m
		for level := range depth {
			if l.v2 {
				const controllers = "+memory +cpu +cpuset +io +pids"
				if err := os.WriteFile(dir+"/cgroup.subtree_control", []byte(controllers), 0); err != nil {
					return leaves, all, err
				}
			}
			up := dir
			dir = filepath.Join(dir, name)
			if err := os.Mkdir(dir, 0o755); err != nil {
				return leaves, all, err
			}
			all = append(all, dir)
			if err := l.limit(dir, up, level); err != nil {
				return leaves, all, err
			}
		}
		leaves = append(leaves, dir)
	}
	return leaves, all, nil
}

// limit sets what a new cgroup needs (v1 cpusets), and of the outermost the
// limits: 512 MiB.
func (l layout) limit(dir, up string, level int) error {
	for _, file := range []string{"cpuset.mems", "cpuset.cpus"} {
		if !l.v2 && strings.Contains(dir, "/cpuset/") {
			text, err := os.ReadFile(filepath.Join(up, file))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, file), text, 0); err != nil {
				return err
			}
		}
	}
	for _, file := range []string{"memory.max", "memory.limit_in_bytes"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil && level == 0 {
			return os.WriteFile(filepath.Join(dir, file), []byte("536870912"), 0)
		}
	}
	return nil
}

// box is a container.
type box struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	dirs []string
}

// newBox starts a container whose cgroup is so many levels below the root's.
func (b *bench) newBox(depth int) (*box, error) {
	b.names++
	leaves, dirs, err := b.layout.make(fmt.Sprintf("lxcfs-bench-%d", b.names), depth)
	x := &box{dirs: dirs}
	if err == nil {
		err = x.start(b.box, leaves)
	}
	if err != nil {
		x.close()
		return nil, err
	}
	return x, nil
}

func (x *box) start(program string, leaves []string) (err error) {
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	if x.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	x.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return err
	}
	x.cmd = cmd
	for _, leaf := range leaves {
		if err := os.WriteFile(leaf+"/cgroup.procs", []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
			return err
		}
	}
	return x.expect("go")
}

// ask sends a command and returns the answer.
func (x *box) ask(format string, args ...any) (string, error) {
	if _, err := fmt.Fprintf(x.in, format+"\n", args...); err != nil {
		return "", err
	}
	line, err := x.out.ReadString('\n')
	return strings.TrimSpace(line), err
}

// expect sends a command whose answer is "ok".
func (x *box) expect(format string, args ...any) error {
	answer, err := x.ask(format, args...)
	if err == nil && answer != "ok" {
		err = fmt.Errorf("%q: %q", fmt.Sprintf(format, args...), answer)
	}
	return err
}

// close ends the container and removes its cgroups.
func (x *box) close() error {
	if x.cmd != nil {
		x.in.Close()
		x.cmd.Process.Kill()
		x.cmd.Wait()
	}
	var failed error
	for i := len(x.dirs) - 1; i >= 0; i-- {
		failed = errors.Join(failed, removeDir(x.dirs[i]))
	}
	return failed
}

// removeDir removes a cgroup whose last processes may still be ending.
func removeDir(dir string) error {
	for try := 0; ; try++ {
		err := os.Remove(dir)
		if !errors.Is(err, syscall.EBUSY) || try == 100 {
			return err
		}
		pause()
	}
}

// boxes makes n containers; with an error, those made before it are ended.
func (b *bench) boxes(n, depth int) ([]*box, error) {
	var all []*box
	for range n {
		x, err := b.newBox(depth)
		if err != nil {
			return nil, errors.Join(err, closeAll(all))
		}
		all = append(all, x)
	}
	return all, nil
}

func closeAll(all []*box) error {
	var failed error
	for _, x := range all {
		failed = errors.Join(failed, x.close())
	}
	return failed
}
