package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is something that serves files. The kernel itself has no process, and
// the root "-".
type server struct {
	name, root string
	cmd        *exec.Cmd
	worker     bool // the process that serves is cmd's child
}

// kind is a kind of server.
type kind struct {
	name    string
	command func(b *bench, root string) *exec.Cmd // nil: not to be had
	worker  bool
}

// The kinds of servers.
const (
	ours     = "ours"
	earlier  = "before"
	upstream = "upstream"
	native   = "native"
	floorC   = "floor-c"
	floorGo  = "floor-go"
)

func kinds() []kind {
	return []kind{
		{ours, func(b *bench, root string) *exec.Cmd { return keeper(b.ours, root) }, true},
		{earlier, func(b *bench, root string) *exec.Cmd { return keeper(b.before, root) }, true},
		{upstream, func(b *bench, root string) *exec.Cmd {
			return b.upstreamCommand(root)
		}, false},
		{floorC, func(b *bench, root string) *exec.Cmd {
			if b.floor == "" {
				return nil
			}
			return exec.Command(b.floor, root)
		}, false},
		{floorGo, func(_ *bench, root string) *exec.Cmd {
			self, err := os.Executable()
			if err != nil {
				return nil
			}
			return exec.Command(self, "floor", root)
		}, false},
	}
}

// keeper starts a build of ours; nil when there is none.
func keeper(program, root string) *exec.Cmd {
	if program == "" {
		return nil
	}
	return exec.Command(program, "--keeper", "-p", root+".pid", root)
}

// upstreamCommand starts what a Debian package has, unpacked.
func (b *bench) upstreamCommand(root string) *exec.Cmd {
	if b.upstream == "" {
		return nil
	}
	libs, _ := filepath.Glob(filepath.Join(b.upstream, "usr/lib/*-linux-*"))
	if len(libs) == 0 {
		return nil
	}
	cmd := exec.Command(filepath.Join(b.upstream, "usr/bin/lxcfs"), "-l", "--enable-cfs", "-p", root+".pid", root)
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libs[0]+":"+filepath.Join(libs[0], "lxcfs"))
	return cmd
}

// start starts a server of that name; nil when it is not to be had.
func (b *bench) start(name string, pinned bool) (*server, error) {
	if name == native {
		return &server{name: native, root: "-"}, nil
	}
	for _, k := range kinds() {
		if k.name == name {
			return b.launch(k, pinned)
		}
	}
	return nil, fmt.Errorf("no server %q", name)
}

func (b *bench) launch(k kind, pinned bool) (*server, error) {
	s := &server{name: k.name, root: filepath.Join(b.work, k.name), worker: k.worker}
	if s.cmd = k.command(b, s.root); s.cmd == nil {
		return nil, nil
	}
	if pinned {
		pin(s.cmd)
	}
	if err := os.MkdirAll(s.root, 0o755); err != nil {
		return nil, err
	}
	log, err := os.Create(s.root + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", k.name, err)
	}
	if err := s.await(); err != nil {
		text, _ := os.ReadFile(s.root + ".log")
		return nil, errors.Join(fmt.Errorf("%s: %w: %s", k.name, err, text), s.stop())
	}
	return s, nil
}

// pin has a command run on one CPU, from its start: a Go program then takes the
// machine for one of one CPU.
func pin(cmd *exec.Cmd) {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return
	}
	cmd.Args = append([]string{"taskset", "-c", strconv.Itoa(lastCPU()), cmd.Path}, cmd.Args[1:]...)
	cmd.Path = taskset
}

// pause is a short wait for something that happens by itself.
func pause() { time.Sleep(20 * time.Millisecond) }

// await waits until the mount is there and somebody serves it.
func (s *server) await() error {
	for range 1500 {
		table, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			return err
		}
		if bytes.Contains(table, []byte(" "+s.root+" ")) && s.pid() != 0 {
			_, err := os.ReadFile(s.root + "/proc/uptime")
			return err
		}
		pause()
	}
	return errors.New("not mounted after 30 s")
}

// pid returns the process that serves; 0 for none.
func (s *server) pid() int {
	switch {
	case s.cmd == nil:
		return 0
	case !s.worker:
		return s.cmd.Process.Pid
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	for _, t := range tasks {
		text, _ := os.ReadFile(t)
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				return pid
			}
		}
	}
	return 0
}

// stop ends a server and its mount.
func (s *server) stop() error {
	if s.cmd == nil {
		return nil
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	gone := make(chan struct{})
	go func() {
		s.cmd.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		s.cmd.Process.Kill()
		<-gone
	}
	if err := syscall.Unmount(s.root, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

// cpu returns the CPU time that the serving process has used.
func (s *server) cpu() time.Duration {
	var total time.Duration
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.pid()))
	for _, t := range tasks {
		text, _ := os.ReadFile(t) // "CPU-nsec wait-nsec slices"
		first, _, _ := strings.Cut(string(text), " ")
		if n, err := strconv.ParseInt(first, 10, 64); err == nil {
			total += time.Duration(n)
		}
	}
	return total
}

// status returns a number of /proc/PID/status: VmRSS (kB), Threads.
func (s *server) status(name string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid()))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return n
		}
	}
	return 0
}

// lastCPU is where servers and readers are pinned, together.
func lastCPU() int {
	text, _ := os.ReadFile("/sys/devices/system/cpu/online")
	list := strings.TrimSpace(string(text))
	n, _ := strconv.Atoi(list[strings.LastIndexAny(list, "-,")+1:])
	return n
}
