package fdstore

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// running is a keeper that runs.
type running struct {
	*recorder
	signals chan os.Signal
	result  chan error
	stop    context.CancelFunc
}

func runKeeper(t *testing.T, config Config) *running {
	t.Helper()
	checkLeaks(t)
	r := &running{recorder: newRecorder(), signals: make(chan os.Signal, 8), result: make(chan error, 1)}
	config.Report = r.report
	keeper, err := NewKeeper(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.stop = cancel
	go func() {
		err := keeper.Run(ctx, r.signals)
		keeper.Close()
		r.result <- err
		close(r.result)
	}()
	t.Cleanup(func() {
		cancel()
		<-r.result
	})
	return r
}

// status waits for a worker's status and returns its words: see playWorker.
func (r *running) status(t *testing.T) (pid int, words []string) {
	t.Helper()
	e := r.wait(t, Status)
	return e.PID, strings.Fields(e.Text)
}

func TestKillTheWorker(t *testing.T) {
	const kills = 60
	config := Config{Command: func() *exec.Cmd { return role(t, "worker") }, Max: 4, Dir: t.TempDir()}
	r := runKeeper(t, config)
	pid, words := r.status(t)
	if want := []string{"start", "1", "fds", "0"}; !slices.Equal(words[:4], want) {
		t.Fatalf("first worker: got %q, want %q", words, want)
	}
	keeperFiles, open := 0, ""
	for i := range kills {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		pid, words = r.status(t)
		want := []string{"start", strconv.Itoa(i + 2), "fds", "1"}
		if !slices.Equal(words[:4], want) {
			t.Fatalf("after kill %d: got %q, want %q", i+1, words, want)
		}
		if i == 10 {
			keeperFiles, open = openFiles(), words[5]
		}
	}
	if words[5] != open {
		t.Errorf("descriptors of the worker: got %s, want %s", words[5], open)
	}
	if got := openFiles(); got != keeperFiles {
		t.Errorf("descriptors of the keeper: got %d, want %d", got, keeperFiles)
	}
	r.stop()
	if err := <-r.result; err != nil {
		t.Errorf("got %v, want nil", err)
	}
	for _, e := range r.drain() {
		if e.Kind == Delayed || e.Kind == Full || e.Kind == Refused {
			t.Errorf("got %+v", e)
		}
	}
}

func TestSignalsReachTheWorker(t *testing.T) {
	r := runKeeper(t, Config{Command: func() *exec.Cmd { return role(t, "worker") }, Max: 4})
	r.signals <- syscall.SIGUSR2 // early: before it is ready
	r.status(t)
	for _, sig := range []os.Signal{syscall.SIGUSR2, syscall.SIGUSR1, syscall.SIGHUP} {
		if sig != syscall.SIGUSR2 {
			r.signals <- sig
		}
		if e := r.wait(t, Status); e.Text != "got "+sig.String() {
			t.Errorf("got %q, want %v", e.Text, sig)
		}
	}
	r.signals <- syscall.SIGTERM
	if err := <-r.result; err != nil {
		t.Errorf("got %v, want nil", err)
	}
	r.wait(t, Stopping)
}

func TestDeafWorkerIsKilled(t *testing.T) {
	r := runKeeper(t, Config{Command: func() *exec.Cmd { return role(t, "mute") }, StopTimeout: time.Millisecond})
	r.wait(t, Ready)
	r.signals <- syscall.SIGINT
	err := <-r.result
	var ended *WorkerError
	if !errors.As(err, &ended) || ended.Status.Signal() != syscall.SIGKILL {
		t.Errorf("got %v, want SIGKILL", err)
	}
	r.wait(t, Overdue)
}

func TestWatchdogKillsARealWorker(t *testing.T) {
	r := runKeeper(t, Config{
		Command:     func() *exec.Cmd { cmd := role(t, "mute"); cmd.Stderr = nil; return cmd },
		Watchdog:    time.Millisecond,
		StopTimeout: 2 * time.Second, // the last one may be deaf to SIGTERM already
	})
	r.wait(t, Starved)
	r.wait(t, Died)
	r.wait(t, Started)
}

func TestWorkerThatCannotRun(t *testing.T) {
	r := runKeeper(t, Config{Command: func() *exec.Cmd { return exec.Command("/does/not/exist") }})
	if err := <-r.result; !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
	r = runKeeper(t, Config{Command: func() *exec.Cmd { return role(t, "fail") }})
	var ended *WorkerError
	if err := <-r.result; !errors.As(err, &ended) || ended.Status.ExitStatus() != 3 {
		t.Errorf("got %v, want exit status 3", err)
	}
}

// Each worker stores a descriptor and kills itself at once: the keeper must
// read the message before it starts the next one.
func TestLastMessageOfTheDeadCounts(t *testing.T) {
	r := runKeeper(t, Config{Command: func() *exec.Cmd { return role(t, "parting") }, Max: 8})
	if err := <-r.result; err != nil {
		t.Fatal(err)
	}
	deaths := 0
	for _, e := range r.drain() {
		if e.Kind == Died {
			deaths++
		}
	}
	if deaths != 6 {
		t.Errorf("workers: got %d, want 6: five that store and one that finds all five", deaths)
	}
}

func TestWorkerGetsManyDescriptors(t *testing.T) {
	checkLeaks(t)
	var files []File
	for i := range MaxFiles {
		fd, err := unix.MemfdCreate("many", unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, File{"many-" + strconv.Itoa(i), fd})
	}
	r := runKeeper(t, Config{Command: func() *exec.Cmd { return role(t, "worker") }, Max: MaxFiles + 1, Files: files})
	if _, words := r.status(t); words[3] != strconv.Itoa(MaxFiles) {
		t.Errorf("got %q, want %d descriptors", words, MaxFiles)
	}
}

// What the keeper itself brought is no reason to start a worker again that was
// never ready, unless an earlier keeper's readers wait for it.
func TestWorkerThatFailsWithFiles(t *testing.T) {
	for _, serving := range []bool{false, true} {
		t.Run("serving "+strconv.FormatBool(serving), func(t *testing.T) {
			fd, err := unix.MemfdCreate("connection", unix.MFD_CLOEXEC)
			if err != nil {
				t.Fatal(err)
			}
			r := runKeeper(t, Config{
				Command: func() *exec.Cmd { return role(t, "fail") }, Max: 4, Files: []File{{"fuse-1", fd}}, Serving: serving,
			})
			r.wait(t, Died)
			if serving {
				r.wait(t, Died)
				return
			}
			var worker *WorkerError
			if err := <-r.result; !errors.As(err, &worker) || worker.Status.ExitStatus() != 3 {
				t.Errorf("got %v, want exit status 3", err)
			}
			for _, e := range r.drain() {
				if e.Kind == Started {
					t.Error("one more worker was started")
				}
			}
		})
	}
}

// The worker outlives a killed keeper, and learns of it.
func TestKillTheKeeper(t *testing.T) {
	checkLeaks(t)
	note := filepath.Join(t.TempDir(), "orphan")
	keeper := role(t, "keeper", "FDSTORE_TEST_ORPHAN="+note)
	stdout, err := keeper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := keeper.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.Fields(line)[0])
	if err != nil {
		t.Fatal(err)
	}
	worker, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(worker)
	if err := keeper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	keeper.Wait()
	poll := []unix.PollFd{{Fd: int32(worker), Events: unix.POLLIN}}
	for {
		if n, err := unix.Poll(poll, 60000); err == nil && n == 1 {
			break
		} else if err != unix.EINTR {
			t.Fatalf("the worker did not notice: %d, %v", n, err)
		}
	}
	// It wrote this after the keeper's death, of its own free will.
	if content, err := os.ReadFile(note); err != nil || string(content) != "1" {
		t.Errorf("got %q, %v, want the orphan's note", content, err)
	}
}

func TestMessagesAfterDeathAreNotBelieved(t *testing.T) {
	recorder := newRecorder()
	manager, client := pair(t, ManagerConfig{Max: 4, Report: recorder.report})
	cmd := role(t, "parting")
	if err := manager.Start(cmd, nil); err != nil {
		t.Fatal(err)
	}
	manager.Wait(cmd)
	if got := manager.Names(); len(got) > 1 {
		t.Errorf("got %q", got)
	}
	raw(t, client, "READY=1")
	if e := recorder.wait(t, Refused); e.PID != os.Getpid() {
		t.Errorf("got %+v", e)
	}
}
