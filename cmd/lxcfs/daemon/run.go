package daemon

import (
	"context"
	"errors"
	"maps"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/cmd/lxcfs/process"
)

const (
	// stopWait bounds the wait at the end for requests under way and for what runs
	// beside.
	stopWait = 3 * time.Second
	// helperWait is how long mount helpers at hand may take when a stop was asked for.
	helperWait = time.Second
)

// errEnding is for those who ask for something when the process ends.
var errEnding = errors.New("lxcfs is ending")

// mode is what one way to serve does that others do not. What is nil does nothing. The
// goroutine of the run loop calls all of it but accept, keeperGone and beside.
type mode struct {
	passOn   process.Files // what the next program needs beside the connections
	leaving  func()        // before another program is executed in the place of this one
	staying  func()        // when that failed
	hangUp   func()        // on SIGHUP; nil: it stops, as on SIGTERM
	stopping func()        // before the end that somebody asked for

	accept     func(context.Context)       // takes mounts until the context is done
	keeperGone func(context.Context) error // returns nil when the keeper is dead
	beside     []func(context.Context)     // run until the end

	look     func()                       // before each wait
	patience func() (time.Duration, bool) // how long to wait with nothing to serve; false: no longer than before
	end      func() error                 // why it ends with nothing to serve
}

// loop is the life of a process that serves. One goroutine decides; all that happens
// comes to it through a channel.
type loop struct {
	*server
	mode
	idle     *time.Timer
	orphaned chan struct{} // the keeper is dead
	stopped  bool          // somebody asked for the end
	over     bool

	// shut ends accept. accepted is closed when it has ended; shutting is that
	// channel once shut was called, and nil before.
	shut               context.CancelFunc
	accepted, shutting chan struct{}
}

// run serves until a signal, ctx, or the want of connections ends it. These are served
// as long as ctx, which stop ends.
func (s *server) run(ctx context.Context, stop func(), signals <-chan os.Signal, m mode) error {
	l := &loop{server: s, mode: m, idle: time.NewTimer(firstWait), orphaned: make(chan struct{}, 1)}
	defer l.idle.Stop()
	l.begin(ctx)
	for !l.over {
		l.beforeWait()
		select {
		case <-ctx.Done():
			l.stopped, l.over = true, true
		case sig := <-signals:
			l.signal(sig)
		case e := <-s.done:
			if ctx.Err() == nil {
				s.remove(e)
			}
		case f := <-s.asked:
			f()
		case <-s.reexecution:
			if !s.askKeeper() {
				l.signal(unix.SIGUSR1)
			}
		case <-l.orphaned:
			l.succeed()
		case <-l.idle.C:
			l.over = l.stopped // and helpers take too long
			l.close()
		case <-l.shutting:
			l.closed(ctx)
		}
	}
	stop()
	close(s.finished)
	s.join()
	if l.stopped {
		return nil
	}
	return m.end()
}

// begin starts all that goes on beside the loop.
func (l *loop) begin(ctx context.Context) {
	l.open(ctx)
	for _, run := range append(l.beside, l.machine.loads.Run, l.sweep, l.sumUp) {
		l.running.Go(func() { run(ctx) })
	}
	if l.keeperGone != nil {
		l.running.Go(func() {
			if l.keeperGone(ctx) == nil {
				l.orphaned <- struct{}{}
			}
		})
	}
}

// join waits for the end of all goroutines, but not for ever: a thread may hang in a
// file of the kernel's. What requests take longer the next process answers.
func (s *server) join() {
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(stopWait):
	}
}

// beforeWait winds the timer: whoever serves something does not end for want of it.
func (l *loop) beforeWait() {
	call(l.look)
	switch {
	case l.shutting != nil: // for a reason
	case l.count() > 0:
		l.idle.Stop()
	case l.patience == nil:
		l.idle.Reset(0)
	default:
		if d, ok := l.patience(); ok {
			l.idle.Reset(d)
		}
	}
}

// open takes mounts.
func (l *loop) open(ctx context.Context) {
	ctx, l.shut = context.WithCancel(ctx)
	accepted := make(chan struct{})
	l.accepted, l.shutting = accepted, nil
	l.running.Go(func() {
		defer close(accepted)
		if l.accept != nil {
			l.accept(ctx)
		}
	})
}

// close takes no more mounts. A helper that is at hand is heard before the end; one
// that comes later starts the next service.
func (l *loop) close() {
	l.shut()
	l.shutting = l.accepted
}

// closed ends the loop, unless the last helper brought a mount.
func (l *loop) closed(ctx context.Context) {
	if l.over = l.stopped || l.count() == 0; !l.over {
		l.open(ctx)
	}
}

// halt ends the loop when helpers that are at hand were heard.
func (l *loop) halt() {
	if l.stopped {
		return
	}
	l.stopped = true
	call(l.stopping)
	l.close()
	l.idle.Reset(helperWait)
}

// signal acts on a signal.
func (l *loop) signal(sig os.Signal) {
	switch {
	case l.stopped:
	case sig == unix.SIGUSR1:
		l.takeOver()
	case sig == unix.SIGUSR2:
		l.virtualize(l.switches.HostOnly.Load())
	case sig == unix.SIGHUP && l.hangUp != nil:
		l.hangUp()
	default:
		l.log.Info("stopping", "signal", sig)
		l.halt()
	}
}

// takeOver executes the program installed now with all that this one holds.
func (l *loop) takeOver() {
	l.log.Info("executing anew", "binary", process.Executable())
	call(l.leaving)
	files := l.files()
	maps.Copy(files, l.passOn)
	l.store.client.PassKeeperOn()
	l.leave(true)
	err := l.execute(files, os.Args)
	l.leave(false)
	l.log.Error("not executed anew, serving on", "error", err)
	call(l.staying)
}

// succeed takes the place of a keeper that died: this process holds everything that
// one needs, and containers must not lose their files with it.
func (l *loop) succeed() {
	if l.stopped {
		return
	}
	l.log.Warn("the keeper is gone: taking its place")
	if err := l.execute(l.files(), append(os.Args[:1:1], process.RoleArgs("--keeper")...)); err != nil {
		l.log.Error("no keeper any more: the next death of this worker ends the mount", "error", err)
	}
}

// askKeeper has the keeper execute the installed program anew, and it this one; it
// reports whether there is a keeper.
func (s *server) askKeeper() bool {
	keeper := s.store.client.Keeper()
	return keeper != 0 && unix.Kill(keeper, unix.SIGUSR1) == nil
}

// do has the run loop call f, and waits for it: for other goroutines.
func (s *server) do(f func() error) error {
	result := make(chan error, 1)
	select {
	case s.asked <- func() { result <- f() }:
		return <-result
	case <-s.finished:
		return errEnding
	}
}

// call calls f if there is one.
func call(f func()) {
	if f != nil {
		f()
	}
}
