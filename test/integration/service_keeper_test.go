//go:build integration

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/test/servicemanager"
)

// keptService is a service whose main process is a keeper, as in lxcfs.service.
func keptService(t *testing.T) *service {
	s := newService(t, nobody)
	s.args = []string{"--service", "--keeper"}
	return s
}

// server returns the pid of the keeper's only child.
func (s *service) server() int {
	s.t.Helper()
	var pid int
	keeper := strconv.Itoa(s.State().PID)
	waitFor(s.t, "a server", func() bool {
		children, err := filepath.Glob("/proc/" + keeper + "/task/*/children")
		if err != nil {
			s.t.Fatal(err)
		}
		for _, file := range children {
			text, _ := os.ReadFile(file)
			if pid, err = strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
				return true
			}
		}
		return false
	})
	return pid
}

// The service manager hears nothing of deaths of the server, and stores what it
// would without a keeper; a death of the keeper loses nothing either.
func TestServiceKeeper(t *testing.T) {
	s := keptService(t)
	dir := s.up("a")[0]
	read := func() { t.Helper(); mustRead(t, filepath.Join(dir, "proc/meminfo")) }
	stored := s.Stored()
	if len(stored) != 4 {
		t.Fatalf("stored: %q", stored)
	}
	slices.Sort(stored)
	same := func(what string) {
		t.Helper()
		if got := s.Stored(); len(got) != 4 || !slices.Equal(slices.Sorted(slices.Values(got)), stored) {
			t.Errorf("stored after %s: got %q, want %q", what, got, stored)
		}
	}
	keeper := s.State().PID
	for range 4 {
		if err := unix.Kill(s.server(), unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		read()
	}
	if err := s.Reload(s.ctx); err != nil {
		t.Error(err)
	}
	if state := s.State(); state.PID != keeper || state.Starts != 1 || !state.Ready {
		t.Errorf("after four deaths of the server: %+v", state)
	}
	same("four deaths of the server")

	if _, err := s.Kill(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(s.ctx, func(state servicemanager.State) bool { return state.Starts == 2 && state.Ready }); err != nil {
		t.Fatal(err)
	}
	read()
	same("a death of the keeper")

	unmount(t, dir)
	state, err := s.Wait(s.ctx, func(state servicemanager.State) bool { return state.Deaths == 2 })
	if err != nil || state.Last != 0 {
		t.Errorf("after the unmount: %v, status %v, want 0", err, state.Last)
	}
}

// SIGUSR1 to the main process is all that an upgrade takes: both processes run the
// program installed now under their old pids, and the keeper knows its server.
func TestServiceKeeperReexec(t *testing.T) {
	s := keptService(t)
	dir := s.up("a")[0]
	keeper, server := s.State().PID, s.server()
	install := func() {
		t.Helper()
		if out, err := exec.Command("cp", "--remove-destination", binary, s.program).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for range 3 {
		install()
		installed, err := os.Stat(s.program)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Kill(unix.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		for _, pid := range []int{keeper, server} {
			waitFor(t, "the program installed now", func() bool {
				runs, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/exe")
				return err == nil && os.SameFile(runs, installed)
			})
		}
		mustRead(t, filepath.Join(dir, "proc/meminfo"))
	}
	if got := s.server(); got != server {
		t.Errorf("server: got pid %d, want %d", got, server)
	}
	if err := os.Remove(s.program); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Kill(unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the keeper to say that it goes on", func() bool { return strings.Contains(s.log.String(), "the keeper was not executed anew") })
	install()
	if err := unix.Kill(server, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	mustRead(t, filepath.Join(dir, "proc/meminfo"))
	if state := s.State(); state.PID != keeper || state.Starts != 1 {
		t.Errorf("got %+v, want process %d from the first start", state, keeper)
	}
	if status, err := s.Stop(s.ctx); err != nil || status != 0 {
		t.Errorf("stop: %v, %v", status, err)
	}
}
