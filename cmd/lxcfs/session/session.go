package session

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// ErrUnmounted is returned by Serve when the connection has ended: nobody will
// ever ask anything again.
var ErrUnmounted = errors.New("file system unmounted")

// Defaults and bounds of [Config].
const (
	MinSlots        = 64
	defaultPatience = time.Millisecond
	maxPatience     = 8 * time.Millisecond
	defaultGrace    = 5 * time.Second
	yieldPeriod     = 8 * time.Millisecond
)

// Config is what an owner decides about a session. The zero value is complete.
type Config struct {
	// Slots is how many requests may be handled at a time; at least MinSlots.
	Slots int
	// Waiting is how many more may wait for their turn, of all owners. A restored
	// journal keeps its own number.
	Waiting int
	// Owner says on whose behalf a thread asks: requests of different owners are
	// handled in turns. It must not block, and is asked when there is a backlog. nil:
	// there is one owner.
	Owner func(tid uint32) string
	// Readers is how many goroutines may wait in read(2); 0: half as many as
	// there are CPUs. One does as long as it keeps up.
	Readers int
	// MaxRead is how many bytes one READ may carry, at least MinRead. It is rounded
	// up to whole pages, of which there may be 256 (FUSE_MAX_MAX_PAGES).
	MaxRead int
	// PageSize is the kernel's, in bytes; 0: that of this machine.
	PageSize int
	// Grace is how long Serve waits for requests under way when it is told to
	// stop; 0: 5 s.
	Grace time.Duration
	// Crashed says that the last process crashed, see [Session.KeepCrash]. What
	// the connection's own journal says needs no saying.
	Crashed bool
	// Options are go-fuse's. MaxWrite, Logger and PanicHandler are set here.
	Options fuse.MountOptions
	// Report is told what happens, some of each kind; it must not block. It may
	// be nil, and is called by any goroutine.
	Report func(Event)
}

func (c *Config) complete() {
	c.Slots = max(c.Slots, MinSlots)
	c.MaxRead = max(c.MaxRead, MinRead)
	if c.PageSize <= 0 {
		c.PageSize = os.Getpagesize()
	}
	if c.Readers <= 0 {
		c.Readers = defaultReaders()
	}
	if c.Grace <= 0 {
		c.Grace = defaultGrace
	}
}

// slots is how many a new journal has.
func (c *Config) slots() int { return min(c.Slots+c.Waiting, maxSlots) }

// most is how many requests of one owner may be handled at a time, with a journal
// of so many slots.
func (c *Config) most(slots int) int {
	if c.Owner == nil {
		return c.Slots
	}
	return min(c.Slots, slots) / 4
}

// Session is one FUSE connection as this process serves it. It owns both
// descriptors. Init and Serve are called once each, by one goroutine; all other
// methods by any.
type Session struct {
	cfg     Config
	fd      int
	journal *journal
	handles *Handles
	events  *reporter
	fs      fuse.RawFileSystem
	ps      *fuse.ProtocolServer // speaks for fs
	poller  Poller               // nil: POLL is ENOSYS
	lost    bool                 // the journal was unusable: INIT may be unknown
	resend  bool                 // ask the kernel for what the last process read
	outSize int                  // of a reply buffer, in bytes

	degraded time.Duration // until when, CLOCK_BOOTTIME; 0: not
	// afterCrash: the last process was not killed by others.
	afterCrash bool

	counters counters
	replays  sync.Map    // unique of each request that is being dispatched again
	probing  atomic.Bool // a self-check has not come back

	mu        sync.Mutex // guards all below
	demand    demand
	workers   []*worker
	idle      []*worker
	unused    []int  // slots to read to that hold nothing; the last is used next
	room      []int  // slots to wait in that hold nothing, likewise
	backlog   bool   // requests waited since the last Trim
	blind     int    // requests handled since somebody looked for a backlog
	queues    queues // requests that wait for their turn
	moving    int    // workers that read, or handle what they just read
	reading   int    // of them are in read(2), or about to be
	live      int    // worker goroutines
	open      bool   // new requests may be read: the replay is over
	stopping  bool
	abandoned bool          // nobody waits for workers in read(2): they can't be woken
	err       error         // why serving ended
	ended     chan struct{} // closed when err is set
	quiet     chan struct{} // closed when stopping and no worker is waited for
	caughtUp  chan struct{} // closed when the replay is over
	watch     *time.Timer   // calls promote
	watched   bool          // it runs
	starving  time.Duration // when a request was last taken, or the last reader got one, by elapsed
	patience  time.Duration // from the time a request is taken until promote is called
}

// Create makes a session of a new connection, with an empty journal. Nothing is
// read yet: the caller stores JournalFD and then fd where they survive, and
// then calls Init.
func Create(fd int, cfg Config) (*Session, error) {
	cfg.complete()
	j, err := createJournal(cfg.slots(), minReadBuffer, cfg.PageSize)
	if err != nil {
		return nil, err
	}
	s, err := newSession(fd, j, cfg)
	if err != nil {
		unix.Close(j.fd)
	}
	return s, err
}

// Restore makes a session of a connection that an earlier process served. A
// journal of another version, a damaged one, or none (-1) is replaced: then
// JournalFD returns a new descriptor, which the caller must store before Serve,
// and what the earlier process owed is answered with EIO as far as it is known.
func Restore(fd, journal int, cfg Config) (*Session, error) {
	cfg.complete()
	j, err := openJournal(journal, cfg.PageSize)
	if errors.Is(err, errUnusable) {
		return adoptForeign(fd, journal, cfg, err)
	}
	if err != nil {
		return nil, err
	}
	j.frozen().epoch++
	crashed := j.takeCrash()
	switch {
	case j.header().deliberate != 0:
		j.forgive()
	case diedOfPoison(j):
	case cfg.Crashed || crashed:
		j.noteDeath(bootTime())
	default:
		j.noteDeath(0)
	}
	j.header().deliberate = 0
	s, err := newSession(fd, j, cfg)
	if err != nil {
		return nil, err
	}
	s.afterCrash = cfg.Crashed || crashed
	if s.degraded = j.degradedUntil(); s.Degraded() {
		s.events.report(EventDegraded, nil, "%d deaths so far", j.header().deaths)
	}
	return s, nil
}

// diedOfPoison says whether the last process died while it replayed a request:
// such a death is that request's, and no reason to degrade everybody.
func diedOfPoison(j *journal) bool {
	for _, i := range j.owed() {
		if j.dispatches(i) > 1 {
			return true
		}
	}
	return false
}

func newSession(fd int, j *journal, cfg Config) (*Session, error) {
	if err := unix.SetNonblock(fd, false); err != nil {
		return nil, fmt.Errorf("connection: %w", errors.Join(err, j.unmap()))
	}
	if j.frozen().epoch == 0 {
		j.frozen().epoch = 1
	}
	s := &Session{
		cfg: cfg, fd: fd, journal: j,
		handles:  openHandles(j.table, j.frozen().epoch),
		events:   newReporter(cfg.Report),
		ended:    make(chan struct{}),
		demand:   demand{readers: 1, most: cfg.Readers},
		queues:   newQueues(cfg.most(j.slots())),
		patience: defaultPatience,
		quiet:    make(chan struct{}),
		caughtUp: make(chan struct{}),
	}
	s.watch = time.AfterFunc(time.Hour, s.promote)
	s.watch.Stop()
	if j.locked != nil {
		s.events.report(EventUnpinned, j.locked, "journal of %d bytes", len(j.mem))
	}
	return s, nil
}

// newProtocolServer makes the decoder of requests. Its options are the owner's,
// but for max_write, so that a request fits a slot, and FUSE_PASSTHROUGH, which
// would make the mount unfit to be a layer of others.
func (s *Session) newProtocolServer(raw fuse.RawFileSystem) *fuse.ProtocolServer {
	opts := s.cfg.Options
	opts.MaxWrite = maxWrite
	opts.DisabledCapabilities |= fuse.CAP_PASSTHROUGH
	opts.Logger = log.New(s.events, "", 0)
	opts.PanicHandler = s.panicked
	return fuse.NewProtocolServer(raw, &opts)
}

// JournalFD returns the descriptor of the journal. It differs from the one that
// was given to Restore if that one was unusable.
func (s *Session) JournalFD() int { return s.journal.fd }

// FD returns the descriptor of the connection.
func (s *Session) FD() int { return s.fd }

// Handles returns the table of open handles.
func (s *Session) Handles() *Handles { return s.handles }

// Degraded says that three processes crashed within ten seconds and the last less
// than ten seconds ago: whoever renders should take the shortest path, and serve
// the host's bytes. A process that somebody killed did not crash.
func (s *Session) Degraded() bool { return s.degraded != 0 && bootTime() < s.degraded }

// CaughtUp returns a channel that Serve closes when what earlier processes owed
// is answered, but for what takes long, and new requests are read: a process
// that is ended on purpose from then on ends no replay.
func (s *Session) CaughtUp() <-chan struct{} { return s.caughtUp }

// MarkShutdown says that the process is about to end on purpose (yes), or will not
// after all: no death is recorded then, and no request is suspected of it. Serve
// does so by itself when it is told to stop.
func (s *Session) MarkShutdown(yes bool) {
	var v uint32
	if yes {
		v = 1
	}
	atomic.StoreUint32(&s.journal.header().deliberate, v)
}

// Close gives back the descriptors and the memory. It refuses to while requests
// are being handled. A process that ends need not call it.
func (s *Session) Close() error {
	s.mu.Lock()
	live := s.live
	s.mu.Unlock()
	if live > 0 || s.probing.Load() {
		return fmt.Errorf("session with %d workers: %w", live, unix.EBUSY)
	}
	s.watch.Stop()
	for _, w := range s.workers {
		unix.Munmap(w.out)
	}
	return errors.Join(s.journal.unmap(), unix.Close(s.journal.fd), unix.Close(s.fd))
}

// Serve answers requests, first those that an earlier process owes, until the
// file system is unmounted (ErrUnmounted), ctx is done (nil) or the connection
// breaks. When ctx is done it waits for the requests under way, but not longer
// than Config.Grace: what is not answered then stays in the journal.
func (s *Session) Serve(ctx context.Context) error {
	s.replay()
	close(s.caughtUp)
	s.mu.Lock()
	s.open, s.starving = true, elapsed()
	s.addReader()
	s.mu.Unlock()
	select {
	case <-s.ended:
	case <-ctx.Done():
		s.MarkShutdown(true) // first: from here on a death is no death
	}
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// stop makes the workers end. One that waits in read(2) holds no request, but a
// signal would not wake it, a wake-up descriptor costs a poll(2) for each
// request, and O_NONBLOCK belongs to everybody who holds the connection. So the
// kernel is asked to retrieve nothing from the root's page cache: it answers
// with a request, NOTIFY_REPLY, which nobody waits for. A kernel that retrieves
// from no directory says EINVAL; those workers are left behind then, to end with
// the process. One that gets a request after all answers it, or owes it.
func (s *Session) stop() {
	s.mu.Lock()
	s.stopping = true
	for _, w := range s.idle {
		w.wake <- struct{}{}
	}
	s.idle = nil
	kicks := s.reading
	s.checkQuiet()
	s.mu.Unlock()
	for range kicks {
		if err := s.kick(); err != nil {
			if refused(err) {
				s.leaveReadersBehind()
			}
			break
		}
	}
	grace := time.NewTimer(s.cfg.Grace)
	defer grace.Stop()
	select {
	case <-s.quiet:
	case <-grace.C:
	}
}

// refused says whether a kick failed because the kernel does not kick, and not
// because the connection is gone: then those that wait in read(2) come back by
// themselves.
func refused(err error) bool {
	for _, gone := range []error{unix.ENODEV, unix.ENOENT, unix.EPIPE, unix.ECONNRESET, unix.ENOTCONN} {
		if errors.Is(err, gone) {
			return false
		}
	}
	return true
}

// leaveReadersBehind makes those that wait in read(2) no reason to wait.
func (s *Session) leaveReadersBehind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abandoned = true
	s.checkQuiet()
}

// kick wakes one goroutine that waits in read(2).
func (s *Session) kick() error {
	var msg struct {
		outHeader
		fuse.NotifyRetrieveOut
	}
	msg.length, msg.status = uint32(len(bytesOf(&msg))), notifyRetrieve
	msg.Nodeid = fuse.FUSE_ROOT_ID
	_, err := unix.Write(s.fd, bytesOf(&msg))
	return err
}

// fail ends serving.
func (s *Session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed(err)
}

// failed is fail with mu held.
func (s *Session) failed(err error) {
	if s.err == nil {
		s.err = err
		close(s.ended)
	}
	s.stopping = true
}

// checkQuiet is called with mu held when a worker ended: it closes quiet if none
// is left that anybody waits for.
func (s *Session) checkQuiet() {
	left := s.live
	if s.abandoned {
		left -= s.reading
	}
	if !s.stopping || left > 0 {
		return
	}
	select {
	case <-s.quiet:
	default:
		close(s.quiet)
	}
}

// elapsed is a clock of this process; unlike bootTime it costs no system call.
func elapsed() time.Duration { return time.Since(started) }

var started = time.Now()

// bootTime reads CLOCK_BOOTTIME: it goes on across processes and suspend.
func bootTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
