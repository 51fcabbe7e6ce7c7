package servicemanager

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/units/fdstore"
)

// roleVariable makes the test binary play the service.
const roleVariable = "SERVICEMANAGER_TEST_ROLE"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(m.Run())
	case "service":
		err = playService()
	case "fail":
		err = errors.New("as told")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// playService stores a memfd once, lists what it inherited, and reloads at
// SIGHUP.
func playService() error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	client, err := fdstore.New(1)
	if err != nil {
		return err
	}
	files, err := fdstore.Inherited()
	if err != nil {
		return err
	}
	var names []string
	for _, file := range files {
		names = append(names, file.Name)
	}
	if !slices.Contains(names, "memory") {
		fd, err := unix.MemfdCreate("memory", unix.MFD_CLOEXEC)
		if err != nil {
			return err
		}
		if err := client.Store("memory", fd, false); err != nil {
			return err
		}
		if err := client.Barrier(context.Background()); err != nil {
			return err
		}
	}
	timeout, err := fdstore.Watchdog()
	if err != nil {
		return err
	}
	status := fmt.Sprintf("STATUS=uid %d fds %s watchdog %v", os.Getuid(), strings.Join(names, " "), timeout)
	if err := client.Notify("READY=1", status); err != nil {
		return err
	}
	for sig := range signals {
		if sig == syscall.SIGTERM {
			return client.Notify("STOPPING=1")
		}
		if err := client.Notify("RELOADING=1", "MONOTONIC_USEC=1"); err != nil {
			return err
		}
		if err := client.Notify("READY=1", "STATUS=reloaded"); err != nil {
			return err
		}
	}
	return nil
}

func newService(t *testing.T, role string, config Config) (*Service, context.Context) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := config.Command
	config.Command = func() *exec.Cmd {
		cmd := exec.Command(executable, "an argument", "another")
		if command != nil {
			cmd = command()
		}
		cmd.Env = append(os.Environ(), roleVariable+"="+role)
		return cmd
	}
	config.StoreMax = 2
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return s, ctx
}

func TestLifeOfAService(t *testing.T) {
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(socket)
	s, ctx := newService(t, "service", Config{
		Sockets:  []fdstore.File{{Name: "lxcfs.socket", FD: socket}},
		Watchdog: 3 * time.Second,
	})
	expect := func(err error, names string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		want := "uid " + strconv.Itoa(os.Getuid()) + " fds " + names + " watchdog 3s"
		if _, err := s.Wait(ctx, func(state State) bool { return state.Status == want }); err != nil {
			t.Fatalf("got %q, want %q", s.State().Status, want)
		}
		if got := s.Stored(); !slices.Equal(got, []string{"memory"}) {
			t.Fatalf("stored: got %q", got)
		}
	}
	expect(s.Start(ctx), "lxcfs.socket")
	expect(s.Restart(ctx), "lxcfs.socket memory")
	if err := s.Reload(ctx); err != nil {
		t.Fatal(err)
	}
	status, err := s.Stop(ctx)
	if err != nil || status != 0 {
		t.Errorf("stop: got %v, %v", status, err)
	}
	if got := s.Stored(); len(got) != 0 {
		t.Errorf("stored after the stop: got %q", got)
	}
	expect(s.Start(ctx), "lxcfs.socket")
	if state := s.State(); state.Starts != 3 || state.Deaths != 2 || state.Reloads != 1 {
		t.Errorf("got %+v", state)
	}
}

func TestRestartAfterKill(t *testing.T) {
	s, ctx := newService(t, "service", Config{Restart: true})
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		killed, err := s.Kill(unix.SIGKILL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Wait(ctx, func(state State) bool { return state.PID != killed && state.PID != 0 && state.Ready }); err != nil {
			t.Fatal(err)
		}
	}
	if state := s.State(); state.Starts != 31 || !strings.Contains(state.Status, "fds memory") {
		t.Errorf("got %+v", state)
	}
	if _, err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
	if state := s.State(); state.PID != 0 || state.Starts != state.Deaths {
		t.Errorf("after the stop: got %+v", state)
	}
}

func TestServiceThatFails(t *testing.T) {
	s, ctx := newService(t, "fail", Config{})
	var ended *fdstore.WorkerError
	if err := s.Start(ctx); !errors.As(err, &ended) || ended.Status.ExitStatus() != 1 {
		t.Errorf("got %v, want exit status 1", err)
	}
	s, ctx = newService(t, "service", Config{Command: func() *exec.Cmd { return exec.Command("no-such-command-anywhere") }})
	if err := s.Start(ctx); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v, want %v", err, exec.ErrNotFound)
	}
}

func TestServiceOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root; have: uid " + strconv.Itoa(os.Getuid()))
	}
	const uid = 65534
	dir, err := os.MkdirTemp("", "servicemanager")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	// The test binary lies in a directory of root's alone.
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	executable := dir + "/service"
	if err := os.WriteFile(executable, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	s, ctx := newService(t, "service", Config{Dir: dir, UID: uid, Command: func() *exec.Cmd {
		cmd := exec.Command(executable)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		return cmd
	}})
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	// The status is a message of its own, after READY=1.
	want := "uid " + strconv.Itoa(uid)
	for end := time.Now().Add(time.Minute); !strings.HasPrefix(s.State().Status, want); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("got %+v, want the status %q", s.State(), want)
		}
	}
}
