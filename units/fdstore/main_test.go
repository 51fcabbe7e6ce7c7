package fdstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roleVariable makes the test binary play another process.
const roleVariable = "FDSTORE_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := play(role); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// role returns a command that plays name in a process of its own.
func role(t testing.TB, name string, env ...string) *exec.Cmd {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(executable)
	cmd.Env = append(append(os.Environ(), roleVariable+"="+name), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

func play(role string) error {
	switch role {
	case "worker":
		return playWorker()
	case "fail":
		os.Exit(3)
	case "mute":
		signal.Ignore(syscall.SIGTERM)
		return playMute()
	case "parting":
		return playParting()
	case "keeper":
		return playKeeper()
	case "executed anew":
		return playExecutedAnew()
	case "stranger":
		return playStranger()
	}
	return errors.New("no such role")
}

// playWorker counts its starts in a stored memfd, says so, and answers signals
// with a status until SIGTERM.
func playWorker() error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals)
	client, err := New(0)
	if err != nil {
		return err
	}
	files, err := Inherited()
	if err != nil {
		return err
	}
	counter, err := findCounter(client, files)
	if err != nil {
		return err
	}
	starts, err := increment(counter)
	if err != nil {
		return err
	}
	status := "STATUS=start " + starts + " fds " + strconv.Itoa(len(files)) + " open " + strconv.Itoa(openFiles())
	if err := client.Notify("READY=1", status); err != nil {
		return err
	}
	go func() {
		if client.KeeperGone(context.Background()) == nil {
			os.WriteFile(os.Getenv("FDSTORE_TEST_ORPHAN"), []byte(starts), 0o600)
			os.Exit(0)
		}
	}()
	for sig := range signals {
		switch sig {
		case syscall.SIGTERM:
			return client.Notify("STOPPING=1")
		case syscall.SIGURG: // the Go runtime's own
		default:
			if err := client.Notify("STATUS=got " + sig.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

func findCounter(client *Client, files []File) (int, error) {
	for _, file := range files {
		client.Adopt(file.Name)
		if file.Name == "counter" {
			return file.FD, nil
		}
	}
	fd, err := unix.MemfdCreate("counter", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, err
	}
	if err := client.Store("counter", fd, false); err != nil {
		return -1, err
	}
	return fd, client.Barrier(context.Background())
}

func increment(fd int) (string, error) {
	buffer := make([]byte, 32)
	n, err := unix.Pread(fd, buffer, 0)
	if err != nil {
		return "", err
	}
	count := 0
	if n > 0 {
		if count, err = strconv.Atoi(string(buffer[:n])); err != nil {
			return "", err
		}
	}
	text := strconv.Itoa(count + 1)
	_, err = unix.Pwrite(fd, []byte(text), 0)
	return text, err
}

// playMute is ready and then deaf to everything but SIGKILL and SIGABRT.
func playMute() error {
	client, err := New(0)
	if err != nil {
		return err
	}
	if err := client.Notify("READY=1"); err != nil {
		return err
	}
	time.Sleep(time.Hour) // select{} the runtime takes for a deadlock, and ends by itself
	return nil
}

// playParting sends a descriptor and is gone before anybody can have read it.
func playParting() error {
	client, err := New(0)
	if err != nil {
		return err
	}
	files, err := Inherited()
	if err != nil {
		return err
	}
	if len(files) == 5 {
		return nil
	}
	fd, err := unix.MemfdCreate("parting", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	if err := client.Store("parting-"+strconv.Itoa(len(files)), fd, false); err != nil {
		return err
	}
	return unix.Kill(os.Getpid(), unix.SIGKILL)
}

// playKeeper keeps a worker until it is killed itself, or stopped.
func playKeeper() error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	files, err := Inherited()
	if err != nil {
		return err
	}
	keeper, err := NewKeeper(Config{
		Command: func() *exec.Cmd {
			cmd := exec.Command(executable)
			cmd.Env = append(os.Environ(), roleVariable+"=worker")
			cmd.Stderr = os.Stderr
			return cmd
		},
		Max:   8,
		Files: files,
		Report: func(e Event) {
			if e.Kind == Status {
				fmt.Println(e.PID, e.Text)
			}
		},
	})
	if err != nil {
		return err
	}
	defer keeper.Close()
	return keeper.Run(context.Background(), nil)
}

// playStranger says what only the worker may say.
func playStranger() error {
	client, err := New(4)
	if err != nil {
		return err
	}
	if err := client.Notify("READY=1", "STATUS=forged"); err != nil {
		return err
	}
	if err := client.Store("forged", 0, true); err != nil {
		return err
	}
	return client.Remove("mine")
}

// openFiles counts the descriptors of this process.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries) - 1 // the directory itself
}

// checkLeaks fails the test if it ends with more descriptors than it began.
// Those of the Go poller are made by the first use.
func checkLeaks(t *testing.T) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.Close()
	before := openFiles()
	t.Cleanup(func() {
		if after := openFiles(); after > before {
			t.Errorf("open descriptors: got %d, want at most %d", after, before)
		}
	})
}

func newMemfd(t testing.TB, content string) int {
	t.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Pwrite(fd, []byte(content), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func contentOf(t testing.TB, fd int) string {
	t.Helper()
	buffer := make([]byte, 64)
	n, err := unix.Pread(fd, buffer, 0)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimRight(buffer[:n], "\x00"))
}

// testContext ends when something hangs; no test waits for it otherwise.
func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// recorder keeps events for a test.
type recorder struct{ events chan Event }

func newRecorder() *recorder { return &recorder{make(chan Event, 4096)} }

func (r *recorder) report(e Event) { r.events <- e }

// wait returns the next event of that kind.
func (r *recorder) wait(t *testing.T, kind Kind) Event {
	t.Helper()
	ctx := testContext(t)
	var seen []string
	for {
		select {
		case e := <-r.events:
			if e.Kind == kind {
				return e
			}
			seen = append(seen, e.Kind.String()+" "+e.Text)
		case <-ctx.Done():
			t.Fatalf("no event %q; got %s", kind, strings.Join(seen, ", "))
		}
	}
}

// drain returns what has been reported so far.
func (r *recorder) drain() []Event {
	var events []Event
	for {
		select {
		case e := <-r.events:
			events = append(events, e)
		default:
			return events
		}
	}
}
