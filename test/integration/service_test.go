//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/test/servicemanager"
	"linuxcontainers.org/lxcfs/units/fdstore"
)

// nobody is the user without a privilege that a service runs as.
const nobody = 65534

// storeMax is how many descriptors the store of a service holds.
const storeMax = 24

// watchdog is WatchdogSec= of a service. Who misses it is not killed.
const watchdog = 3 * time.Second

// service is lxcfs --service under the stand-in for the service manager, with
// the socket that the mount helper connects to.
type service struct {
	*servicemanager.Service
	t       *testing.T
	ctx     context.Context
	dir     string
	socket  string
	log     output
	program string // what is installed; a test may put another in its place
	uid     int
	args    []string
	alive   atomic.Int64 // how often it said WATCHDOG=1
}

// newService makes a service that does not run yet.
func newService(t *testing.T, uid int) *service {
	t.Helper()
	needRoot(t)
	// Not t.TempDir(): the name of a test and a socket's may be too much for
	// the 107 bytes of unix(7).
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, dir: dir, socket: filepath.Join(dir, "mount.sock"), program: filepath.Join(dir, "lxcfs"), uid: uid, args: []string{"--service"}}
	if err := os.Link(binary, s.program); err != nil {
		t.Fatal(err)
	}
	var cancel context.CancelFunc
	s.ctx, cancel = context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	if s.log.File, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	listener := s.listen()
	s.Service, err = servicemanager.New(servicemanager.Config{
		Command:  s.command,
		Sockets:  []fdstore.File{{Name: "mount", FD: listener}},
		StoreMax: storeMax,
		Restart:  true,
		Watchdog: watchdog,
		Dir:      dir,
		UID:      uid,
		Report: func(e fdstore.Event) {
			if e.Kind == fdstore.Alive {
				s.alive.Add(1)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.clean)
	return s
}

// command is the unit's ExecStart=, run by the user.
func (s *service) command() *exec.Cmd {
	cmd := exec.Command(s.program, s.args...)
	cmd.Stdout, cmd.Stderr = s.log.File, s.log.File
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if s.uid != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(s.uid), Gid: uint32(s.uid)}
	}
	return cmd
}

// listen makes the socket of lxcfs.socket.
func (s *service) listen() int {
	s.t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: s.socket}); err != nil {
		s.t.Fatal(err)
	}
	if err := unix.Listen(fd, 64); err != nil {
		s.t.Fatal(err)
	}
	return fd
}

func (s *service) clean() {
	s.Close()
	for line := range strings.Lines(ourMounts()) {
		if path := strings.Fields(line)[4]; strings.HasPrefix(path, s.dir+"/") {
			unix.Unmount(path, unix.MNT_DETACH)
		}
	}
	if s.t.Failed() {
		s.t.Logf("lxcfs said:\n%s", s.log)
	}
	if strings.Contains(s.log.String(), "DATA RACE") {
		s.t.Errorf("data race:\n%s", s.log)
	}
	s.log.Close()
}

// mount runs the mount helper for a directory of that name.
func (s *service) mount(name string, options ...string) (string, error) {
	s.t.Helper()
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	args := []string{"lxcfs", dir}
	if len(options) > 0 {
		args = append(args, "-o", strings.Join(options, ","))
	}
	cmd := exec.Command(helper, args...)
	cmd.Env = append(os.Environ(), "LXCFS_MOUNT_SOCKET="+s.socket)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
}

// up starts the service with mounts of these names and returns their paths. It
// reads from each: os.Open hands a file to epoll(7), the kernel asks a new
// connection once whether it knows FUSE_POLL, and while nobody answers that, as
// when the daemon is killed, no descriptor of this process is polled: not those
// of the service manager either, which is to start the next daemon.
func (s *service) up(names ...string) []string {
	s.t.Helper()
	started := make(chan error, 1)
	go func() { started <- s.Start(s.ctx) }()
	var dirs []string
	for _, name := range names {
		dir, err := s.mount(name)
		if err != nil {
			s.t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	if err := <-started; err != nil {
		s.t.Fatal(err)
	}
	for _, dir := range dirs {
		mustRead(s.t, filepath.Join(dir, "proc/uptime"))
	}
	return dirs
}

// A service is ready with its first mount, answers reads over a restart and a
// reload, gives back what an unmounted mount held, and ends when nothing is
// mounted any more.
func TestServiceLife(t *testing.T) {
	s := newService(t, nobody)
	dirs := s.up("a", "b")
	for _, dir := range dirs {
		mustRead(t, filepath.Join(dir, "proc/meminfo"))
	}
	if got := len(s.Stored()); got != 8 {
		t.Fatalf("stored: %q, want 4 for each mount", s.Stored())
	}
	if err := s.Restart(s.ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(s.ctx); err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		mustRead(t, filepath.Join(dir, "proc/meminfo"))
	}
	_, err := s.Wait(s.ctx, func(state servicemanager.State) bool {
		return strings.HasPrefix(state.Status, "Serving 2 connections") && strings.HasSuffix(state.Status, "1 restart, 0 deaths")
	})
	if err != nil {
		t.Errorf("status %q", s.State().Status)
	}
	unmount(t, dirs[0])
	waitFor(t, "the store to lose the first", func() bool { return len(s.Stored()) == 4 })
	mustRead(t, filepath.Join(dirs[1], "proc/meminfo"))
	if status, err := s.Stop(s.ctx); err != nil || status != 0 {
		t.Errorf("stop: %v, %v", status, err)
	}
}

func unmount(t *testing.T, dir string) {
	t.Helper()
	waitFor(t, "the mount to be idle", func() bool { return syscall.Unmount(dir, 0) == nil })
}
