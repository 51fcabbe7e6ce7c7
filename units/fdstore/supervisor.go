package fdstore

import (
	"context"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxPending bounds the signals kept for a worker that is not ready.
const maxPending = 16

// maxVain is how many workers are started of which none becomes ready, where they
// are killed and nobody waits for what they would serve.
const maxVain = 10

// supervisor is the Keeper without sockets and processes: when to start, to
// signal, to kill and to give up. Only the goroutine of run touches it.
type supervisor struct {
	start       func() (process, error)
	stored      func() int
	drain       func() // has the inbox filled with all that was sent
	inbox       *inbox
	report      func(Event)
	stop        []os.Signal
	stopTimeout time.Duration
	watchdog    time.Duration
	final       []int                       // exit statuses after which no worker is started
	reexec      func(p process, ready bool) // at SIGUSR1, nil: the worker's alone; p is nil when none runs
	beats       <-chan time.Time            // when to call beat
	beat        func()

	backoff  backoff
	pending  []os.Signal // for the worker, as soon as it is ready
	stopping bool
	everUp   bool // a worker was ready once
	starts   int
}

// run is [Keeper.Run].
func (s *supervisor) run(ctx context.Context, signals <-chan os.Signal) error {
	for {
		young, done, err := s.once(ctx, signals)
		if done {
			return err
		}
		if s.stopping || !s.pause(ctx, signals, s.backoff.next(young)) {
			return ErrNoWorker
		}
	}
}

// once starts a worker and attends to it until its end. It reports whether it
// died young, and, when the keeper is done, with what.
func (s *supervisor) once(ctx context.Context, signals <-chan os.Signal) (young, done bool, err error) {
	s.inbox.take() // of the worker before
	p, err := s.start()
	s.starts++
	if err != nil {
		s.report(Event{Kind: Failed, Err: err})
		return true, s.starts == 1, err
	}
	s.report(Event{Kind: Started, PID: p.PID()})
	started := time.Now()
	status := s.attend(ctx, signals, p)
	s.report(Event{Kind: Died, PID: p.PID(), Wait: status})
	switch {
	case status.Exited() && status.ExitStatus() == 0:
		return false, true, nil
	case s.stopping, s.givesUp(status):
		return false, true, &WorkerError{PID: p.PID(), Status: status}
	}
	return diedYoung(time.Since(started), status), false, nil
}

// givesUp says whether the worker that ended so, not with status 0, was the last.
func (s *supervisor) givesUp(status syscall.WaitStatus) bool {
	if status.Exited() && slices.Contains(s.final, status.ExitStatus()) {
		return true
	}
	return !s.everUp && s.stored() <= 0 && (status.Exited() || s.starts == maxVain)
}

// pause waits before the next start; it reports whether there is to be one.
func (s *supervisor) pause(ctx context.Context, signals <-chan os.Signal, delay time.Duration) bool {
	if delay == 0 {
		return ctx.Err() == nil
	}
	s.report(Event{Kind: Delayed, Delay: delay})
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-ctx.Done():
			return false
		case <-s.beats:
			s.beat()
		case sig := <-signals:
			switch {
			case slices.Contains(s.stop, sig):
				return false
			case sig == unix.SIGUSR1 && s.reexec != nil:
				s.reexec(nil, false)
			default:
				s.keep(sig)
			}
		}
	}
}

// keep remembers a signal for a worker that is not ready yet.
func (s *supervisor) keep(sig os.Signal) {
	if len(s.pending) < maxPending {
		s.pending = append(s.pending, sig)
	}
}

// attention is what attend knows about one worker.
type attention struct {
	process process
	ready   bool
	starved bool
	timer   *time.Timer // next WATCHDOG=1, or the end of the grace, or stopped
}

// ask sends a signal that the worker is to end at, as systemd does: one that is
// stopped (SIGSTOP) gets it when it goes on, and not before. A worker that is dead
// already is what was wanted.
func (a *attention) ask(sig os.Signal) {
	_ = a.process.Signal(sig)
	_ = a.process.Signal(unix.SIGCONT)
}

// attend passes on signals and watches over p until its end. It returns p's
// status.
func (s *supervisor) attend(ctx context.Context, signals <-chan os.Signal, p process) syscall.WaitStatus {
	a := &attention{process: p, timer: time.NewTimer(time.Hour)}
	a.timer.Stop()
	defer a.timer.Stop()
	exited := make(chan syscall.WaitStatus, 1)
	go func() { exited <- p.Wait() }()
	cancelled := ctx.Done()
	for {
		select {
		case status := <-exited:
			s.hear(a)
			return status
		case <-cancelled:
			cancelled = nil
			s.end(a)
		case sig := <-signals:
			s.signal(a, sig)
		case <-s.inbox.wake:
			s.hear(a)
		case <-s.beats:
			s.beat()
		case <-a.timer.C:
			s.overdue(a)
		}
	}
}

// end asks the worker to end, once.
func (s *supervisor) end(a *attention) {
	if s.stopping {
		return
	}
	s.stopping = true
	a.ask(unix.SIGTERM)
	a.timer.Reset(s.stopTimeout)
}

// signal handles one signal to the keeper.
func (s *supervisor) signal(a *attention, sig os.Signal) {
	switch {
	case slices.Contains(s.stop, sig):
		s.end(a)
		return
	case a.ready:
		_ = a.process.Signal(sig) // dead: the next one starts from scratch
	case sig == unix.SIGUSR1 && s.reexec != nil:
		// It has only just been started, from the program installed now.
	default:
		s.keep(sig)
	}
	if sig == unix.SIGUSR1 && s.reexec != nil && !s.stopping {
		s.reexec(a.process, a.ready)
	}
}

// hear handles what the worker said; it reports whether the watchdog is content with
// that.
func (s *supervisor) hear(a *attention) (content bool) {
	news := s.inbox.take()
	if news.ready && !a.ready {
		a.ready, s.everUp = true, true
		for _, sig := range s.pending {
			_ = a.process.Signal(sig)
		}
		s.pending = nil
	}
	if s.watchdog == 0 || s.stopping || a.starved {
		return true
	}
	if news.trigger {
		s.starve(a)
		return true
	}
	if news.ready || (a.ready && news.alive) {
		a.timer.Reset(s.watchdog)
		return true
	}
	return false
}

// overdue handles the end of a timer.
func (s *supervisor) overdue(a *attention) {
	if !s.stopping && !a.starved {
		// Where the whole machine stood still, the worker may have been in time
		// and the keeper late to hear of it.
		s.drain()
		if !s.hear(a) {
			s.starve(a)
		}
		return
	}
	s.report(Event{Kind: Overdue, PID: a.process.PID()})
	_ = a.process.Signal(unix.SIGKILL)
}

// starve ends a worker that missed its watchdog the way systemd does: SIGABRT,
// at which Go prints the stacks, then SIGKILL (systemd.service(5),
// WatchdogSec=).
func (s *supervisor) starve(a *attention) {
	a.starved = true
	s.report(Event{Kind: Starved, PID: a.process.PID()})
	a.ask(unix.SIGABRT)
	a.timer.Reset(s.stopTimeout)
}
