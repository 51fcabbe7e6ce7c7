package servicemanager

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/units/fdstore"
)

// Config configures a [Service].
type Config struct {
	// Command returns the command of the service; it is called for each
	// start. ExtraFiles must be empty.
	Command func() *exec.Cmd
	// Sockets are passed to every start, before the stored descriptors
	// (socket activation). They stay the caller's.
	Sockets []fdstore.File
	// StoreMax is FileDescriptorStoreMax=.
	StoreMax int
	// Restart starts the service again whenever it dies (Restart=always).
	Restart bool
	// Watchdog is WatchdogSec= as told to the service; nobody is killed.
	Watchdog time.Duration
	// Dir is where the directory of the notify socket is made; it and the
	// socket belong to UID. Empty: an abstract socket.
	Dir string
	UID int
	// Report is told of every event and must not block. It may be nil.
	Report func(fdstore.Event)
}

// Service is one supervised service. Its methods may be called from several
// goroutines, Start, Stop, Restart and Close from one at a time.
type Service struct {
	config  Config
	manager *fdstore.Manager

	mu      sync.Mutex // guards what follows; never held while manager is called
	state   State
	cmd     *exec.Cmd     // nil when no process runs
	wanted  bool          // a process is to run
	changed chan struct{} // closed and replaced at each change of the above
}

// State is what is known of a service at one moment.
type State struct {
	PID       int    // main process, 0: none
	Ready     bool   // this process has said READY=1, and RELOADING=1 not since
	Stopping  bool   // this process has said STOPPING=1
	Status    string // last STATUS=, of this process or an earlier one
	Starts    int    // processes started
	Deaths    int    // processes ended
	Reloads   int    // READY=1 after RELOADING=1
	Reloading bool   // RELOADING=1 and no READY=1 since
	Last      syscall.WaitStatus
	Failure   error // why the last start did not come off

	starting bool // between the death of a process and its successor
}

// gone says that no process runs, nor is about to.
func (state State) gone() bool { return state.PID == 0 && !state.starting }

// New returns a service that does not run yet.
func New(config Config) (*Service, error) {
	s := &Service{config: config, changed: make(chan struct{})}
	manager, err := fdstore.NewManager(fdstore.ManagerConfig{
		Max:      config.StoreMax,
		Dir:      config.Dir,
		UID:      config.UID,
		Watchdog: config.Watchdog,
		Report:   s.hear,
	})
	if err != nil {
		return nil, err
	}
	s.manager = manager
	return s, nil
}

// State returns the state of the moment.
func (s *Service) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Stored returns the names in the descriptor store, newest first.
func (s *Service) Stored() []string { return s.manager.Names() }

// Start starts the service and waits until it is ready. When it exits before,
// that is an error, unless it is restarted.
func (s *Service) Start(ctx context.Context) error {
	s.want(true)
	if err := s.spawn(); err != nil {
		return err
	}
	return s.WaitReady(ctx)
}

// WaitReady waits until a process is ready, or for the end of a service that
// is not restarted.
func (s *Service) WaitReady(ctx context.Context) error {
	state, err := s.Wait(ctx, func(state State) bool {
		return (state.Ready && state.PID != 0) || (state.gone() && (!s.config.Restart || state.Failure != nil))
	})
	switch {
	case err != nil:
		return fmt.Errorf("waiting for READY=1 of process %d, status %q: %w", state.PID, state.Status, err)
	case state.Ready:
		return nil
	case state.Failure != nil:
		return state.Failure
	}
	return fmt.Errorf("the service ended before READY=1: %w", &fdstore.WorkerError{Status: state.Last})
}

// Wait waits until condition holds and returns the state that fulfils it, or
// the last one and the context's error.
func (s *Service) Wait(ctx context.Context, condition func(State) bool) (State, error) {
	for {
		s.mu.Lock()
		state, changed := s.state, s.changed
		s.mu.Unlock()
		if condition(state) {
			return state, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return state, context.Cause(ctx)
		}
	}
}

// Kill sends a signal to the main process and returns its pid.
func (s *Service) Kill(signal os.Signal) (pid int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0, os.ErrProcessDone
	}
	return s.cmd.Process.Pid, s.cmd.Process.Signal(signal)
}

// Reload sends SIGHUP and waits for RELOADING=1 and READY=1
// (Type=notify-reload).
func (s *Service) Reload(ctx context.Context) error {
	before := s.State()
	if _, err := s.Kill(syscall.SIGHUP); err != nil {
		return err
	}
	after, err := s.Wait(ctx, func(state State) bool {
		return state.Reloads > before.Reloads || state.PID != before.PID
	})
	if err != nil {
		return fmt.Errorf("waiting for the reload: %w", err)
	}
	if after.PID != before.PID {
		return errors.New("the service died of the reload")
	}
	return nil
}

// Restart stops the process and starts another. The store is kept.
func (s *Service) Restart(ctx context.Context) error {
	if err := s.halt(ctx); err != nil {
		return err
	}
	return s.Start(ctx)
}

// Stop stops the service and empties the store. It returns how the process
// ended; with SIGKILL, if ctx ends before it does.
func (s *Service) Stop(ctx context.Context) (syscall.WaitStatus, error) {
	err := s.halt(ctx)
	s.manager.Clear()
	return s.State().Last, err
}

// Close ends everything, by SIGKILL.
func (s *Service) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	// That it had to be killed is what Close is for.
	_ = s.halt(ctx)
	return s.manager.Close()
}

// halt ends the process: SIGTERM, and SIGKILL when ctx ends.
func (s *Service) halt(ctx context.Context) error {
	s.want(false)
	forever := context.Background()
	if _, err := s.Wait(forever, func(state State) bool { return !state.starting }); err != nil {
		return err
	}
	// None to kill: that is what was wanted.
	_, _ = s.Kill(syscall.SIGTERM)
	_, err := s.Wait(ctx, State.gone)
	if err == nil {
		return nil
	}
	_, _ = s.Kill(syscall.SIGKILL)
	if _, err := s.Wait(forever, State.gone); err != nil {
		return err
	}
	return fmt.Errorf("waiting for the end of the service: %w", err)
}

func (s *Service) want(wanted bool) {
	s.update(func() { s.wanted = wanted })
}

// update changes what s.mu guards and wakes those who wait.
func (s *Service) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}

// setPID executes the command given under the pid of the shell itself.
const setPID = `export LISTEN_PID=$$; exec "$@"`

// spawn starts a process and a goroutine that waits for its end.
func (s *Service) spawn() error {
	cmd := s.config.Command()
	if cmd.Err != nil {
		return s.failed(cmd.Err)
	}
	args := cmd.Args[min(1, len(cmd.Args)):]
	cmd.Args = append([]string{"sh", "-c", setPID, "sh", cmd.Path}, args...)
	cmd.Path = "/bin/sh"
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true // for endGroup
	// Before the start: READY=1 may come before it returns.
	s.update(func() {
		s.state.Ready, s.state.Stopping, s.state.Reloading, s.state.Failure = false, false, false, nil
	})
	if err := s.manager.Start(cmd, slices.Clone(s.config.Sockets)); err != nil {
		return s.failed(err)
	}
	s.update(func() {
		s.cmd, s.state.PID, s.state.starting = cmd, cmd.Process.Pid, false
		s.state.Starts++
	})
	go s.attend(cmd)
	return nil
}

// failed notes that a start did not come off.
func (s *Service) failed(err error) error {
	err = fmt.Errorf("starting the service: %w", err)
	s.update(func() { s.state.Failure, s.state.starting = err, false })
	return err
}

// attend waits for the end of cmd and starts its successor.
func (s *Service) attend(cmd *exec.Cmd) {
	status := s.manager.Wait(cmd)
	endGroup(cmd.Process.Pid)
	again := false
	s.update(func() {
		s.cmd, s.state.PID, s.state.Last = nil, 0, status
		s.state.Ready, s.state.Reloading = false, false
		s.state.Deaths++
		again = s.wanted && s.config.Restart
		s.state.starting = again
	})
	if again {
		// WaitReady returns the error.
		_ = s.spawn()
	}
}

// groupWait bounds the wait for the end of processes that were killed.
const groupWait = 10 * time.Second

// endGroup kills what the main process has left running, and waits for its end: a
// successor never runs beside it (KillMode=mixed, but for processes that have made a
// group of their own).
func endGroup(pid int) {
	for end := time.Now().Add(groupWait); syscall.Kill(-pid, syscall.SIGKILL) == nil && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// hear takes an event of the manager, whose lock is held.
func (s *Service) hear(e fdstore.Event) {
	s.update(func() { s.state.apply(e) })
	if s.config.Report != nil {
		s.config.Report(e)
	}
}

// apply notes what the process said.
func (state *State) apply(e fdstore.Event) {
	switch e.Kind {
	case fdstore.Ready:
		if state.Reloading {
			state.Reloads++
		}
		state.Ready, state.Reloading = true, false
	case fdstore.Reloading:
		state.Ready, state.Reloading = false, true
	case fdstore.Stopping:
		state.Stopping = true
	case fdstore.Status:
		state.Status = e.Text
	}
}
