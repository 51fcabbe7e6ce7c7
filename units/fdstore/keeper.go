package fdstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoWorker says that the keeper was stopped while no worker ran that could
// have unmounted.
var ErrNoWorker = errors.New("stopped while no worker was running")

// WorkerError says how the last worker ended, if not with status 0.
type WorkerError struct {
	PID    int
	Status syscall.WaitStatus
}

// Error implements error.
func (e *WorkerError) Error() string {
	if e.Status.Signaled() {
		return fmt.Sprintf("worker %d: killed by %v", e.PID, e.Status.Signal())
	}
	return fmt.Sprintf("worker %d: exit status %d", e.PID, e.Status.ExitStatus())
}

// Config configures a [Keeper].
type Config struct {
	// Command returns the command of a new worker, a program that uses New
	// and Inherited. It is called for each start. Its ExtraFiles are the
	// keeper's; it runs in a process group of its own, so that ^C reaches
	// the keeper alone. Stdout and Stderr should be files: a writer of
	// another kind delays a restart until everybody has closed the pipe.
	Command func() *exec.Cmd
	// Max, Dir, Watchdog and Files are those of [ManagerConfig].
	Max      int
	Dir      string
	Watchdog time.Duration
	Files    []File
	// Serving says that Files are those of a keeper that died: readers wait, and
	// a worker that fails is no reason to give up, though none was ready here.
	Serving bool
	// Sockets are passed to each worker before the stored descriptors, and are
	// not stored (socket activation). They stay the caller's.
	Sockets []File
	// Upstream is the service manager whose main process the keeper is: it is
	// told all that the worker says, and stores what the worker stores. It is
	// not told who is alive: with a Watchdog it hears that from the keeper.
	// nil: there is none.
	Upstream *Client
	// Final are the exit statuses of a worker after which none is started,
	// beside 0: it would fail again.
	Final []int
	// Reexec executes a program in the place of this one, and returns if that
	// did not work. It is called at SIGUSR1, which the worker gets as well.
	// nil: SIGUSR1 is for the worker alone.
	Reexec func(Handover) error
	// Handover is what a keeper that did so has left. nil: there was none.
	Handover *Handover
	// Stop lists the signals that end the worker and the keeper. nil:
	// SIGTERM and SIGINT. Every other signal is passed on to the worker.
	Stop []os.Signal
	// StopTimeout is how long a worker may take to end after SIGTERM before
	// it gets SIGKILL. 0: 10 s.
	StopTimeout time.Duration
	// Report is told of every event, of one at a time. It must not block
	// or call the Keeper. nil: nobody is told.
	Report func(Event)
}

// Keeper supervises one worker: it starts it again at once when it dies, and
// holds its descriptors meanwhile.
type Keeper struct {
	config  Config
	manager *Manager
	inbox   *inbox
	left    Handover // of the keeper before, until its worker is taken over

	reporting sync.Mutex // one event at a time
}

// NewKeeper opens the socket; it starts nothing yet. It owns the descriptors of
// config.Files from the call on.
func NewKeeper(config Config) (*Keeper, error) {
	if config.Stop == nil {
		config.Stop = []os.Signal{unix.SIGTERM, unix.SIGINT}
	}
	if config.StopTimeout == 0 {
		config.StopTimeout = 10 * time.Second
	}
	k := &Keeper{config: config, inbox: newInbox()}
	if config.Handover != nil {
		k.left = *config.Handover
	}
	manager, err := NewManager(ManagerConfig{
		Socket:     k.left.Socket,
		AcceptFrom: k.left.Worker,
		Forward:    k.forward,
		Max:        config.Max,
		Dir:        config.Dir,
		UID:        -1,
		Watchdog:   config.Watchdog,
		Files:      config.Files,
		Report: func(e Event) {
			k.inbox.put(e.Kind)
			k.report(e)
		},
	})
	if err != nil {
		return nil, err
	}
	k.manager = manager
	return k, nil
}

// Run keeps a worker running until one of these:
//
//   - the worker exits with status 0, because everything is unmounted: nil
//   - ctx ends or a stop signal comes: nil when the worker then exits with
//     status 0, else a [*WorkerError], or [ErrNoWorker]
//   - the worker exits with a status of config.Final: a [*WorkerError]
//   - the worker exits with another status, or is the tenth that is killed, none
//     was ever ready, nothing is stored but what came with config.Files, and
//     nobody waits for those: a [*WorkerError]. A wrong option is not cured by
//     repetition
//   - the very first start fails: its error
//
// signals is what signal.Notify fills. Signals for the worker wait until it is
// ready, for before that they would kill it.
//
// The descriptors stay open until [Keeper.Close], so that the caller can
// unmount after an error.
func (k *Keeper) Run(ctx context.Context, signals <-chan os.Signal) error {
	s := &supervisor{
		start:       k.start,
		stored:      k.stored,
		drain:       func() { _ = k.manager.Drain() }, // fails when the Manager is closed: no news
		inbox:       k.inbox,
		report:      k.report,
		stop:        k.config.Stop,
		stopTimeout: k.config.StopTimeout,
		watchdog:    k.config.Watchdog,
		final:       k.config.Final,
	}
	if k.config.Reexec != nil {
		s.reexec = k.reexec
	}
	if k.left.Worker != 0 && !k.left.Ready {
		s.keep(unix.SIGUSR1) // which it was not given for that reason
	}
	if k.config.Upstream != nil && k.config.Watchdog > 0 {
		ticker := time.NewTicker(k.config.Watchdog / 3)
		defer ticker.Stop()
		k.beat() // who is executed anew more often than it ticks would never beat
		s.beats, s.beat = ticker.C, k.beat
	}
	return s.run(ctx, signals)
}

// stored counts what readers may depend on.
func (k *Keeper) stored() int {
	if k.config.Serving {
		return k.manager.Count()
	}
	return k.manager.Count() - len(k.config.Files)
}

// Close closes every stored descriptor and removes the socket. Call it after
// Run has returned.
func (k *Keeper) Close() error { return k.manager.Close() }

func (k *Keeper) report(e Event) {
	if k.config.Report == nil {
		return
	}
	k.reporting.Lock()
	defer k.reporting.Unlock()
	k.config.Report(e)
}

// start starts a worker, or takes over the one that a keeper before has left.
func (k *Keeper) start() (process, error) {
	if p := k.adopt(); p != nil {
		return p, nil
	}
	cmd := k.config.Command()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	err := k.manager.Start(cmd, k.config.Sockets, KeeperVariable+"="+strconv.Itoa(os.Getpid()))
	if err != nil {
		return nil, err
	}
	return &worker{cmd: cmd, manager: k.manager}, nil
}
