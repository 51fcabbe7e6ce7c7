package fdstore

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"
)

// At SIGUSR1 the worker gets it, and the keeper executes itself anew. A worker that
// is not ready is not killed by it.
func TestWhenTheKeeperIsExecutedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *stage
		var got []string
		s = newStage(func(f *fake) {
			synctest.Wait()
			s.signals <- syscall.SIGUSR1
			synctest.Wait()
			if f.pid > youngDeaths {
				f.end(0)
				return
			}
			s.say(Ready)
			s.signals <- syscall.SIGUSR1
			synctest.Wait()
			f.end(128 + 11)
		})
		s.reexec = func(p process, ready bool) {
			pid := 0
			if p != nil {
				pid = p.PID()
			}
			got = append(got, fmt.Sprint(pid, " ", ready))
		}
		report := s.report
		s.report = func(e Event) {
			if report(e); e.Kind == Delayed {
				s.signals <- syscall.SIGUSR1
			}
		}
		if err := s.run(t.Context(), s.signals); err != nil {
			t.Fatal(err)
		}
		want := []string{"1 false", "1 true", "2 false", "2 true", "3 false", "3 true", "4 false", "4 true", "5 false", "5 true", "0 false", "6 false"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for _, f := range s.processes[:youngDeaths] {
			if !slices.Equal(f.got, []os.Signal{syscall.SIGUSR1}) {
				t.Errorf("worker %d: got %v, want one SIGUSR1", f.pid, f.got)
			}
		}
	})
}

// leftVariable is the test's own way to tell the next program what was left.
const leftVariable = "FDSTORE_TEST_LEFT"

// playExecutedAnew is playKeeper with a keeper that executes itself anew at SIGUSR1.
func playExecutedAnew() error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGTERM)
	config := Config{
		Command: func() *exec.Cmd {
			cmd := exec.Command(executable)
			cmd.Env = append(os.Environ(), roleVariable+"=worker")
			cmd.Stderr = os.Stderr
			return cmd
		},
		Max: 8,
		Reexec: func(h Handover) error {
			left := fmt.Sprintln(h.Socket, h.Worker, h.Ready, h.Stored[0].Name, h.Stored[0].FD)
			for _, fd := range []int{h.Socket, h.Stored[0].FD} {
				if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
					return err
				}
			}
			return unix.Exec(executable, []string{executable}, append(os.Environ(), leftVariable+"="+left))
		},
		Report: func(e Event) {
			switch e.Kind {
			case Status:
				fmt.Println(e.PID, e.Text)
			case Kept, Refused, Full:
				fmt.Println("FAULT", e)
			}
		},
	}
	if left := os.Getenv(leftVariable); left != "" {
		var h Handover
		var f File
		if _, err := fmt.Sscanln(left, &h.Socket, &h.Worker, &h.Ready, &f.Name, &f.FD); err != nil {
			return err
		}
		unix.CloseOnExec(h.Socket)
		unix.CloseOnExec(f.FD)
		config.Handover, config.Files = &h, []File{f}
		os.Unsetenv(leftVariable)
		fmt.Println("anew")
	}
	keeper, err := NewKeeper(config)
	if err != nil {
		return err
	}
	defer keeper.Close()
	return keeper.Run(context.Background(), signals)
}

// The worker of a keeper that is executed anew goes on; what it says counts, and
// when it dies, the next one gets what was stored before.
func TestExecutedAnew(t *testing.T) {
	checkLeaks(t)
	keeper := role(t, "executed anew")
	stdout, err := keeper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := keeper.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	next := func(want string) (pid int) {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "FAULT") {
				t.Errorf("the keeper reports %s", lines.Text())
			}
			if strings.Contains(lines.Text(), want) {
				fmt.Sscan(lines.Text(), &pid)
				return pid
			}
		}
		t.Fatalf("the keeper ended before %q", want)
		return 0
	}
	pid := next("start 1 fds 0")
	for range 3 {
		if err := keeper.Process.Signal(syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		next("anew")
		if err := unix.Kill(pid, unix.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		if got := next("got user defined signal 2"); got != pid {
			t.Errorf("worker: got %d, want %d", got, pid)
		}
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got := next("start 2 fds 1"); got == pid {
		t.Errorf("the second worker has the pid of the first, %d", got)
	}
	if err := keeper.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, stdout); err != nil {
		t.Error(err)
	}
	if err := keeper.Wait(); err != nil {
		t.Errorf("the keeper: got %v, want status 0", err)
	}
}
