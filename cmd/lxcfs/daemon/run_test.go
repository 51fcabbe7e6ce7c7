package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
	"linuxcontainers.org/lxcfs/units/fdstore"
	"linuxcontainers.org/lxcfs/units/mount"
)

// serving puts a connection into the table that nobody reads from.
func serving(t *testing.T, s *server, id string) *connection {
	t.Helper()
	c, err := s.open(id, freshParts(readOnly(t, -1)), origin{Mountpoint: "/mnt" + id})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.conns[id] = c
	s.mu.Unlock()
	t.Cleanup(func() {
		s.running.Wait() // it may be being closed
		if !c.closed {
			c.close()
		}
	})
	return c
}

// lifeOf is a run loop that was started.
type lifeOf struct {
	signals chan os.Signal
	stop    func()
	began   time.Time
	result  chan error
}

// live starts the run loop.
func live(t *testing.T, s *server, m mode) *lifeOf {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &lifeOf{make(chan os.Signal, 8), cancel, time.Now(), make(chan error, 1)}
	go func() { l.result <- s.run(ctx, cancel, l.signals, m) }()
	synctest.Wait()
	return l
}

// end waits for the end of the loop and says how long it lived.
func (l *lifeOf) end() (time.Duration, error) {
	err := <-l.result
	return time.Since(l.began), err
}

// goesOn fails the test if the loop has ended.
func (l *lifeOf) goesOn(t *testing.T) {
	t.Helper()
	synctest.Wait()
	if len(l.result) > 0 {
		t.Fatal("it has ended")
	}
}

// Each signal does what its mode says. That all goroutines have ended when the loop
// has, the bubble checks.
func TestSignals(t *testing.T) {
	for name, tt := range map[string]struct {
		signal unix.Signal
		hangUp bool
		ends   bool
		called string
	}{
		"SIGTERM":                    {unix.SIGTERM, false, true, "stopping"},
		"SIGINT":                     {unix.SIGINT, false, true, "stopping"},
		"SIGHUP":                     {unix.SIGHUP, false, true, "stopping"},
		"SIGHUP, of another meaning": {unix.SIGHUP, true, false, "hangUp"},
		"SIGUSR1":                    {unix.SIGUSR1, false, false, "leaving execute staying"},
		"SIGUSR2":                    {unix.SIGUSR2, false, false, "switched"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var called []string
				note := func(what string) func() { return func() { called = append(called, what) } }
				s := testServer(t)
				s.execute = func(process.Files, []string) error { note("execute")(); return errors.New("no") }
				serving(t, s, "1")
				m := mode{leaving: note("leaving"), staying: note("staying"), stopping: note("stopping"), end: func() error { return errNoConnection }}
				if tt.hangUp {
					m.hangUp = note("hangUp")
				}
				l := live(t, s, m)
				l.signals <- tt.signal
				synctest.Wait()
				if s.switches.HostOnly.Load() {
					note("switched")()
				}
				if ended := len(l.result) > 0; ended != tt.ends || strings.Join(called, " ") != tt.called {
					t.Errorf("ended: %v, called: %q", ended, called)
				}
				l.stop()
				if _, err := l.end(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A process whose last connection is gone ends with what went wrong with them.
func TestEndOfTheLastConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testServer(t)
		first, second := serving(t, s, "1"), serving(t, s, "2")
		l := live(t, s, mode{end: s.failure})
		s.done <- ended{conn: first, err: errors.New("a broken one")}
		l.goesOn(t)
		s.done <- ended{conn: second}
		if took, err := l.end(); err == nil || err.Error() != "a broken one" || took != 0 {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// testService is a service on no bus, and what it tells its manager.
func testService(t *testing.T) (*service, func() []string) {
	t.Helper()
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "none"))
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	client, err := fdstore.New(100)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	s := &service{server: testServer(t), listener: -1}
	s.store = &descriptors{client: client}
	return s, func() (told []string) {
		buf := make([]byte, 4096)
		for {
			conn.SetReadDeadline(time.Now().Add(-time.Hour)) // what is there
			raw, err := conn.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			raw.Control(func(fd uintptr) { n, err = unix.Read(int(fd), buf) })
			if err != nil {
				return told
			}
			word, _, _ := strings.Cut(string(buf[:n]), "\n")
			told = append(told, word)
		}
	}
}

// How long a service without a mount waits for one, and why it ends then.
func TestIdleService(t *testing.T) {
	refusal := process.Hopeless(errors.New("no mount at /x"))
	for name, tt := range map[string]struct {
		change func(*service)
		took   time.Duration
		err    error
	}{
		"nobody came":             {func(*service) {}, firstWait, errNoConnection},
		"one did not wait":        {func(s *service) { s.missed = true }, idleWait, errMissed},
		"it was refused":          {func(s *service) { s.refused = refusal }, 0, refusal},
		"refused, after a missed": {func(s *service) { s.missed, s.refused = true, refusal }, 0, refusal},
		"it had one":              {func(s *service) { s.ready = true }, idleWait, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctestService(t, func(t *testing.T, s *service, _ func() []string) {
				l := live(t, s.server, s.mode(t.Context()))
				if name == "nobody came" {
					time.Sleep(firstWait / 2) // what happens meanwhile gives it no more time
					s.do(func() error { return nil })
				} else {
					l.began = time.Now()
					s.do(func() error { tt.change(s); return nil })
				}
				if took, err := l.end(); took != tt.took || !errors.Is(err, tt.err) {
					t.Errorf("after %v: %v, want after %v: %v", took, err, tt.took, tt.err)
				}
			})
		})
	}
}

// synctestService is testService in a bubble. $NOTIFY_SOCKET can't be set in one.
func synctestService(t *testing.T, f func(*testing.T, *service, func() []string)) {
	t.Helper()
	s, told := testService(t)
	store := s.store
	synctest.Test(t, func(t *testing.T) {
		s := &service{server: testServer(t), listener: -1}
		s.store = store
		f(t, s, told)
	})
}

// A helper that is at hand when the end has come is heard: its mount is served, or,
// where a stop was asked for, in the store for the next process. One that takes too
// long holds up no stop.
func TestHelpersAtHand(t *testing.T) {
	for name, tt := range map[string]struct {
		stop      bool // by a signal; else for want of a mount
		takes     time.Duration
		took      time.Duration
		connected int
	}{
		"idle":              {false, 30 * time.Second, 0, 1}, // waiting busily would never end in this bubble
		"stopped":           {true, helperWait / 2, helperWait / 2, 1},
		"stopped, too slow": {true, 2 * stopWait, helperWait + stopWait, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := testServer(t)
				s.execute = func(process.Files, []string) error { t.Error("executed at the end"); return errors.New("no") }
				opened := 0
				l := live(t, s, mode{
					patience: func() (time.Duration, bool) { return 0, true },
					accept: func(accepting context.Context) {
						opened++
						<-accepting.Done()
						if opened == 1 {
							time.Sleep(tt.takes)
							s.do(func() error { serving(t, s, "1"); return nil })
						}
					},
					end: s.failure,
				})
				if tt.stop {
					l.signals <- unix.SIGTERM
					l.signals <- unix.SIGUSR1 // which nobody executes any more
				} else {
					time.Sleep(time.Hour)
					l.goesOn(t)
					if opened != 2 {
						t.Error("further mounts are not taken")
					}
					l.began = time.Now()
					l.signals <- unix.SIGTERM
				}
				took, err := l.end()
				if took != tt.took || err != nil || s.count() != tt.connected {
					t.Errorf("after %v: %v, %d connections", took, err, s.count())
				}
				time.Sleep(tt.takes) // the bubble waits for the slow one, too
			})
		})
	}
}

// What hangs does not keep the process.
func TestEndThoughSomethingHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testServer(t)
		serving(t, s, "1")
		hang := make(chan struct{})
		l := live(t, s, mode{beside: []func(context.Context){func(context.Context) { <-hang }}, end: s.failure})
		l.signals <- unix.SIGTERM
		if took, err := l.end(); took != stopWait || err != nil {
			t.Errorf("after %v: %v", took, err)
		}
		close(hang)
	})
}

// deliberate reads in the journal whether its process ends on purpose: version 1 has
// it at byte 72.
func deliberate(t *testing.T, c *connection) bool {
	t.Helper()
	var word [4]byte
	if _, err := unix.Pread(c.session.JournalFD(), word[:], 72); err != nil {
		t.Fatal(err)
	}
	return word != [4]byte{}
}

// The manager hears of a new program before it is there, and of one that could not be
// executed; the program gets all descriptors, and the end is none that a journal
// counts as a death.
func TestTakeOver(t *testing.T) {
	synctestService(t, func(t *testing.T, s *service, told func() []string) {
		c := serving(t, s.server, "7")
		s.listener = 99
		var atExecution []string
		var files process.Files
		s.execute = func(f process.Files, args []string) error {
			atExecution, files = told(), f
			if !deliberate(t, c) {
				t.Error("the journal takes it for a death")
			}
			if !slices.Equal(args, os.Args) {
				t.Errorf("arguments %q", args)
			}
			return errors.New("no such program")
		}
		m := s.mode(t.Context())
		m.accept = nil
		l := live(t, s.server, m)
		l.signals <- unix.SIGUSR1
		l.goesOn(t)
		if deliberate(t, c) {
			t.Error("the journal takes a death from now on for an orderly end")
		}
		if want := []string{"READY=1", "RELOADING=1"}; !slices.Equal(atExecution, want) {
			t.Errorf("before: told %q, want %q", atExecution, want)
		}
		if after := told(); !slices.Contains(after, "READY=1") {
			t.Errorf("after: told %q", after)
		}
		for _, name := range []string{"fuse-7", "journal-7", "acct-7", "origin-7", mount.SocketName} {
			if _, ok := files[name]; !ok {
				t.Errorf("%s is not passed on: %v", name, files)
			}
		}
		l.signals <- unix.SIGTERM
		l.end()
		if after := told(); !slices.Contains(after, "STOPPING=1") {
			t.Errorf("at the end: told %q", after)
		}
	})
}

// What the bus asks for the run loop does, and nobody once it has ended.
func TestActions(t *testing.T) {
	synctestService(t, func(t *testing.T, s *service, told func() []string) {
		serving(t, s.server, "1")
		var executed atomic.Int32
		s.execute = func(process.Files, []string) error { executed.Add(1); return errors.New("no") }
		b := &onBus{service: s}
		l := live(t, s.server, s.mode(t.Context()))
		told()
		if err := b.Reload(); err != nil {
			t.Error(err)
		}
		if got := told(); len(got) < 2 || got[0] != "RELOADING=1" || got[1] != "READY=1" || s.loaded == nil {
			t.Errorf("a reload tells %q", got)
		}
		if err := b.Virtualize(false); err != nil || !s.switches.HostOnly.Load() {
			t.Errorf("virtualisation: %v", err)
		}
		if err := b.Reexecute(); err != nil || executed.Load() > 0 {
			t.Errorf("a new program: %v, executed before the answer: %d", err, executed.Load())
		}
		time.Sleep(reexecDelay)
		l.goesOn(t)
		if n := executed.Load(); n != 1 {
			t.Errorf("executed %d times", n)
		}
		l.signals <- unix.SIGTERM
		l.end()
		if err := b.Reload(); !errors.Is(err, errEnding) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A refused mount ends a service that was started for it, with its sentence.
func TestRefusedMountEndsTheService(t *testing.T) {
	for name, tt := range map[string]struct {
		err    error
		status int
	}{
		"for good": {errors.New("mount: operation not permitted"), process.ExitHopeless},
		"for now":  {fmt.Errorf("mount: %w", unix.ENOMEM), process.ExitAgain},
	} {
		t.Run(name, func(t *testing.T) {
			synctestService(t, func(t *testing.T, s *service, _ func() []string) {
				l := live(t, s.server, s.mode(t.Context()))
				err := s.failed(t.Context(), mount.Request{Mountpoint: "/mnt", Failed: tt.err})
				if !errors.Is(err, tt.err) {
					t.Errorf("the helper is told %v", err)
				}
				took, err := l.end()
				if took != 0 || !errors.Is(err, tt.err) || process.ExitStatus(err) != tt.status {
					t.Errorf("after %v, status %d: %v", took, process.ExitStatus(err), err)
				}
			})
		})
	}
}

// A worker whose keeper died becomes one, with all that it serves.
func TestKeeperGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testServer(t)
		serving(t, s, "1")
		args := make(chan []string, 1)
		s.execute = func(f process.Files, a []string) error {
			if args <- a; len(f) != 4 {
				t.Errorf("passed on: %v", f)
			}
			return errors.New("no")
		}
		l := live(t, s, mode{keeperGone: func(context.Context) error { time.Sleep(time.Hour); return nil }, end: s.failure})
		if time.Sleep(time.Hour / 2); len(args) > 0 {
			t.Error("executed while it lives")
		}
		time.Sleep(time.Hour)
		l.goesOn(t)
		if a := <-args; len(a) < 2 || a[1] != "--keeper" {
			t.Errorf("executed with %q", a)
		}
		l.signals <- unix.SIGTERM
		l.end()
	})
}

// TestStuckUser: who uses a connection may hang in what it reads of a container. When
// that connection is unmounted the loop goes on.
func TestStuckUser(t *testing.T) {
	s := testServer(t)
	first, _ := serving(t, s, "1"), serving(t, s, "2")
	release, in := make(chan struct{}), make(chan struct{})
	go first.use(func() { close(in); <-release })
	<-in
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- s.run(ctx, cancel, make(chan os.Signal, 8), mode{end: s.failure}) }()
	s.done <- ended{conn: first}
	did := make(chan struct{})
	go func() { s.do(func() error { return nil }); close(did) }()
	select {
	case <-did:
	case <-time.After(10 * time.Second):
		t.Error("the loop does nothing")
	}
	close(release)
	cancel()
	<-result
}
