package fdstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// pair returns a manager that believes this process, and its client.
func pair(t *testing.T, config ManagerConfig) (*Manager, *Client) {
	t.Helper()
	checkLeaks(t)
	config.UID = -1
	manager, err := NewManager(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { manager.Close() })
	manager.AcceptFrom(os.Getpid())
	client, err := newClient(environment(map[string]string{"NOTIFY_SOCKET": manager.Address()}), config.Max)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return manager, client
}

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestNewClient(t *testing.T) {
	for _, row := range []struct {
		name string
		env  map[string]string
		max  int
		ok   bool
	}{
		{"no manager", nil, 0, false},
		{"path", map[string]string{"NOTIFY_SOCKET": "/run/x"}, 7, true},
		{"abstract", map[string]string{"NOTIFY_SOCKET": "@x", "FDSTORE": "3"}, 3, true},
		{"vsock", map[string]string{"NOTIFY_SOCKET": "vsock:2:1234"}, 0, false},
		{"nothing but @", map[string]string{"NOTIFY_SOCKET": "@"}, 0, false},
		{"bad store", map[string]string{"NOTIFY_SOCKET": "@x", "FDSTORE": "many"}, 0, false},
		{"negative store", map[string]string{"NOTIFY_SOCKET": "@x", "FDSTORE": "-1"}, 0, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			checkLeaks(t)
			client, err := newClient(environment(row.env), 7)
			if (err == nil) != row.ok {
				t.Fatalf("got %v, want ok %v", err, row.ok)
			}
			if errors.Is(err, ErrNoManager) != (row.env == nil) {
				t.Errorf("got %v", err)
			}
			if got := client.Room(); got != row.max {
				t.Errorf("room: got %d, want %d", got, row.max)
			}
			client.Close()
		})
	}
}

func TestNilClient(t *testing.T) {
	var c *Client
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range map[string]error{
		"Notify": c.Notify("READY=1"), "Remove": c.Remove("a"), "Barrier": c.Barrier(ctx), "Close": c.Close(),
	} {
		if err != nil {
			t.Errorf("%s: got %v, want nil", name, err)
		}
	}
	if err := c.Store("a", 0, true); !errors.Is(err, ErrNoManager) {
		t.Errorf("Store: got %v, want %v", err, ErrNoManager)
	}
	if err := c.KeeperGone(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("KeeperGone: got %v, want %v", err, context.Canceled)
	}
	c.Adopt("a")
}

func TestStoreAndRemove(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		t.Run("dir "+strconv.FormatBool(dir != ""), func(t *testing.T) {
			manager, client := pair(t, ManagerConfig{Max: 3, Dir: dir})
			for _, name := range []string{"a", "b", "c"} {
				if err := client.Store(name, newMemfd(t, name), name != "c"); err != nil {
					t.Fatal(err)
				}
			}
			if err := client.Barrier(testContext(t)); err != nil {
				t.Fatal(err)
			}
			if got := manager.Names(); !slices.Equal(got, []string{"c", "b", "a"}) {
				t.Errorf("got %q, newest first", got)
			}
			if err := client.Store("d", 0, true); !errors.Is(err, ErrFull) {
				t.Errorf("got %v, want %v", err, ErrFull)
			}
			if err := client.Remove("b"); err != nil {
				t.Fatal(err)
			}
			if err := client.Store("a", 0, true); !errors.Is(err, ErrStored) {
				t.Errorf("got %v, want %v", err, ErrStored)
			}
			if err := client.Store("d", newMemfd(t, "d"), true); err != nil {
				t.Fatal(err)
			}
			if err := client.Barrier(testContext(t)); err != nil {
				t.Fatal(err)
			}
			if got := manager.Names(); !slices.Equal(got, []string{"d", "c", "a"}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestStoreKeepsTheContent(t *testing.T) {
	manager, client := pair(t, ManagerConfig{Max: 1})
	fd := newMemfd(t, "before")
	if err := client.Store("a", fd, false); err != nil {
		t.Fatal(err)
	}
	if err := client.Barrier(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Pwrite(fd, []byte("after!"), 0); err != nil {
		t.Fatal(err)
	}
	manager.mu.Lock()
	files := manager.table.newestFirst()
	manager.mu.Unlock()
	if files[0].FD == fd || contentOf(t, files[0].FD) != "after!" {
		t.Errorf("got %v with %q, want a duplicate of %d", files, contentOf(t, files[0].FD), fd)
	}
}

func TestAdoptCounts(t *testing.T) {
	_, client := pair(t, ManagerConfig{Max: 3})
	client.Adopt("a", "a", "b")
	if err := client.Store("c", 0, true); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want %v", err, ErrFull)
	}
	if err := client.Remove("a"); err != nil {
		t.Fatal(err)
	}
	if got := client.Room(); got != 2 {
		t.Errorf("room: got %d, want 2", got)
	}
}

func TestRefusedByTheClient(t *testing.T) {
	_, client := pair(t, ManagerConfig{Max: 1})
	for name, err := range map[string]error{
		"name":       client.Store("a:b", 0, true),
		"no name":    client.Remove(""),
		"two lines":  client.Notify("STATUS=a\nREADY=1"),
		"no value":   client.Notify("READY"),
		"too long":   client.Notify("STATUS=" + strings.Repeat("x", 5000)),
		"no such fd": client.Store("a", 1<<20, true),
	} {
		if err == nil {
			t.Errorf("%s: got nil, want an error", name)
		}
	}
	if got := client.Room(); got != 1 {
		t.Errorf("room after a failed store: got %d, want 1", got)
	}
}

// silent is a socket that nobody reads.
func silent(t *testing.T) *Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	client, err := newClient(environment(map[string]string{"NOTIFY_SOCKET": path}), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func TestBarrierWaits(t *testing.T) {
	checkLeaks(t)
	client := silent(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	result := make(chan error)
	go func() { result <- client.Barrier(ctx) }()
	select {
	case err := <-result:
		t.Fatalf("got %v before anybody read the barrier", err)
	case <-time.After(20 * time.Millisecond):
	}
	cancel(reason)
	if err := <-result; !errors.Is(err, reason) {
		t.Errorf("got %v, want %v", err, reason)
	}
}

func TestBarrierFollowsTheMessagesBefore(t *testing.T) {
	recorder := newRecorder()
	_, client := pair(t, ManagerConfig{Report: recorder.report})
	for i := range 100 {
		want := strconv.Itoa(i)
		if err := client.Notify("STATUS=" + want); err != nil {
			t.Fatal(err)
		}
		if err := client.Barrier(testContext(t)); err != nil {
			t.Fatal(err)
		}
		events := recorder.drain()
		if len(events) != 1 || events[0].Text != want {
			t.Fatalf("after barrier %d: got %v", i, events)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	client, err := newClient(environment(map[string]string{"NOTIFY_SOCKET": "@lxcfs-test-nobody-there"}), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Notify("READY=1"); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("got %v, want %v", err, unix.ECONNREFUSED)
	}
	client.Close()
	if err := client.Notify("READY=1"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want %v", err, os.ErrClosed)
	}
}

func TestWatchdogVariables(t *testing.T) {
	for _, row := range []struct {
		usec, pid string
		want      time.Duration
		ok        bool
	}{
		{"", "", 0, true},
		{"", "1", 0, true},
		{"30000000", "", 30 * time.Second, true},
		{"30000000", "100", 30 * time.Second, true},
		{"30000000", "101", 0, true},
		{"30000000", "x", 0, false},
		{"0", "", 0, false},
		{"-1", "", 0, false},
		{"18446744073709551615", "", 0, false},
	} {
		got, err := watchdog(row.usec, row.pid, 100)
		if got != row.want || (err == nil) != row.ok {
			t.Errorf("watchdog(%q, %q): got %v, %v, want %v, ok %v", row.usec, row.pid, got, err, row.want, row.ok)
		}
	}
}

func TestServiceManagerDoesNotDie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := new(Client).KeeperGone(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
	})
}
