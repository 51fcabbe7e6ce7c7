package view

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/container"
)

const (
	// loadKept is for how long a container is watched after it was last read.
	loadKept = 10 * time.Minute
	// maxTasks bounds the threads that are counted of one container.
	maxTasks = 16384
	// A census is renewed for a reader when it is older than censusAge and
	// found no more than cheapThreads.
	censusAge    = time.Second
	cheapThreads = 256
	// idleTicks is how many ticks in a row may go without a census because the
	// container used no CPU time.
	idleTicks = 12
)

// Loads watches the containers that somebody has read of late. Safe for
// concurrent use; Run is called once. No file is read with mu held.
type Loads struct {
	host  *cgroup.Host
	clock Clock

	mu      sync.Mutex // guards watched and what every load says
	watched map[container.Key]*load
}

// load is one container's.
type load struct {
	ready chan struct{} // closed after the first count
	err   error         // of the first count

	container *container.Container
	read      time.Duration // when somebody last did
	counted   time.Duration // when the census began
	used      uint64        // CPU time of the container before the census
	skipped   int           // ticks without a census, in a row
	stepped   time.Duration // up to when the averages are
	figures
}

// figures are what is known of a container's load.
type figures struct {
	average averages
	census
}

// census is a count of a container's threads.
type census struct {
	running, blocked, threads int
	newest                    uint32 // highest pid of /proc
	lastPID                   uint32 // that process's pid in the container
}

// NewLoads returns a Loads that watches nobody yet.
func NewLoads(host *cgroup.Host, clock Clock) *Loads {
	return &Loads{host: host, clock: clock, watched: make(map[container.Key]*load)}
}

// Run counts every 5 s until ctx is done.
func (l *Loads) Run(ctx context.Context) {
	ticker := time.NewTicker(loadInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.Tick()
		}
	}
}

// Tick is one step of all averages. Containers that are gone, or that nobody
// read for ten minutes, are forgotten.
func (l *Loads) Tick() {
	for _, w := range l.current() {
		if l.idle(w) {
			l.mu.Lock()
			w.step(l.clock())
			l.mu.Unlock()
			continue
		}
		now := l.clock()
		c, err := l.count(w)
		l.mu.Lock()
		if err != nil {
			l.forget(w)
		} else {
			w.take(c, now)
			w.step(now)
		}
		l.mu.Unlock()
	}
}

// idle says that the last census still holds. Nobody was running then, and the
// container has used no CPU time since: no task can have changed its state but
// to a runnable one that has not run yet. Only Tick calls it.
func (l *Loads) idle(w *load) bool {
	used, err := l.host.ReadCPUTotal(w.container.Membership)
	l.mu.Lock()
	defer l.mu.Unlock()
	idle := err == nil && used == w.used && w.running == 0 && w.skipped < idleTicks
	w.used = used
	if w.skipped++; !idle {
		w.skipped = 0
	}
	return idle
}

// current returns the loads whose first count is made, without those that nobody
// reads any more.
func (l *Loads) current() []*load {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]*load, 0, len(l.watched))
	for _, w := range l.watched {
		switch {
		case w.counted == 0:
		case l.clock()-w.read > loadKept:
			l.forget(w)
		default:
			list = append(list, w)
		}
	}
	return list
}

// forget ends the watch, unless another one has begun. mu is held.
func (l *Loads) forget(w *load) {
	if l.watched[w.container.Key] == w {
		delete(l.watched, w.container.Key)
	}
}

// take brings in a census begun at a time.
func (w *load) take(c census, at time.Duration) {
	c.lastPID = max(c.lastPID, w.lastPID)
	w.census, w.counted = c, max(at, 1)
}

// step brings the averages up to now: a tick that comes late, or not at all, is
// made up for by the next one.
func (w *load) step(now time.Duration) {
	n := max(now-w.stepped+loadInterval/2, 0) / loadInterval
	w.stepped += n * loadInterval
	w.average = w.average.after(uint64(n), uint64(w.running+w.blocked))
}

// seed sets the first averages: nobody counted before, so that the count of now
// stands for all the time since the container's start.
func (w *load) seed(now time.Duration) {
	w.stepped = now
	w.average = aged(now-time.Duration(w.container.StartTicks)*tick, uint64(w.running+w.blocked))
}

// read returns a container's load, and begins to watch it. The census is at most
// a second old where counting is cheap, else as old as the averages.
func (l *Loads) read(c *container.Container) (figures, error) {
	now := l.clock()
	l.mu.Lock()
	w, known := l.watched[c.Key]
	if !known {
		w = &load{container: c, ready: make(chan struct{}), read: now}
		l.watched[c.Key] = w
	}
	l.mu.Unlock()
	if !known {
		l.begin(w, now)
	}
	<-w.ready
	if w.err != nil {
		return figures{}, w.err
	}
	l.refresh(w, now)
	l.mu.Lock()
	defer l.mu.Unlock()
	w.read = max(w.read, now)
	return w.figures, nil
}

// begin makes the first count; other readers of the container wait for it.
func (l *Loads) begin(w *load, now time.Duration) {
	c, err := l.count(w)
	l.mu.Lock()
	defer l.mu.Unlock()
	defer close(w.ready)
	if w.err = err; err != nil {
		l.forget(w)
		return
	}
	w.take(c, now)
	w.seed(now)
}

// refresh counts again when the last census is old and was cheap. Of several
// readers one does.
func (l *Loads) refresh(w *load, now time.Duration) {
	l.mu.Lock()
	old := now-w.counted >= censusAge && w.threads <= cheapThreads
	if old {
		w.counted = max(now, 1)
	}
	l.mu.Unlock()
	if !old {
		return
	}
	if c, err := l.count(w); err == nil {
		l.mu.Lock()
		w.take(c, now)
		l.mu.Unlock()
	}
}

// count counts the threads of a container's whole cgroup subtree, the first
// maxTasks of them. Processes that end meanwhile do not count.
func (l *Loads) count(w *load) (census, error) {
	var now census
	buf := make([]byte, 0, 4096)
	err := l.host.WalkProcs(w.container.Membership, maxTasks, func(pid uint32) bool {
		stat, err := l.host.FS.Append(buf[:0], procDir(pid)+"/stat")
		if err != nil {
			return true
		}
		buf = stat
		state, threads, err := parseTask(stat)
		if err != nil {
			return true
		}
		now.newest = max(now.newest, pid)
		if threads > 1 {
			l.countThreads(&now, pid, state)
		} else {
			now.add(state)
		}
		return now.threads < maxTasks
	})
	if err != nil && !errors.Is(err, cgroup.ErrLimit) {
		return census{}, err
	}
	l.mu.Lock()
	last := w.census
	l.mu.Unlock()
	if now.lastPID = last.lastPID; now.newest != last.newest {
		now.lastPID = l.innerPID(now.newest, w.container.PIDDepth)
	}
	return now, nil
}

func procDir(pid uint32) string { return "/proc/" + strconv.FormatUint(uint64(pid), 10) }

func (n *census) add(state byte) {
	n.threads++
	switch state {
	case 'R':
		n.running++
	case 'D':
		n.blocked++
	}
}

// countThreads counts the threads of one process, whose main thread is in a
// state. Where they are not to be seen, that one stands for all.
func (l *Loads) countThreads(now *census, pid uint32, main byte) {
	dir := procDir(pid) + "/task"
	tids, err := l.host.FS.ReadDir(dir)
	if err != nil {
		now.add(main)
		return
	}
	for _, tid := range tids[:min(len(tids), maxTasks-now.threads)] {
		stat, err := l.host.FS.Append(nil, dir+"/"+tid+"/stat")
		if err != nil {
			continue
		}
		if state, _, err := parseTask(stat); err == nil {
			now.add(state)
		}
	}
}

// innerPID returns a process's pid in the container's namespace, which is depth
// namespaces deep (1 is that of /proc); 0 when the process is gone.
//
//	NStgid:	4711	12
func (l *Loads) innerPID(pid uint32, depth int) uint32 {
	status, err := l.host.FS.Append(nil, procDir(pid)+"/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("\nNStgid:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	fields := bytes.Fields(line)
	if depth == 1 {
		return pid
	}
	if depth < 1 || len(fields) < depth { // a process that was put in from outside
		return 0
	}
	inner, err := strconv.ParseUint(string(fields[depth-1]), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(inner)
}

// parseTask parses state (field 3) and num_threads (field 20) of /proc/PID/stat,
// proc_pid_stat(5). The name in parentheses may hold anything, ") R (" included.
//
//	4711 (sh) S 1 4711 4711 0 -1 4194560 151 0 0 0 0 0 0 0 20 0 1 0 8127 ...
func parseTask(stat []byte) (state byte, threads int, err error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 || len(stat) < end+4 || stat[end+1] != ' ' || stat[end+3] != ' ' {
		return 0, 0, fmt.Errorf("/proc/PID/stat: %w: %.80q", cgroup.ErrFormat, stat)
	}
	rest := stat[end+4:] // field 4
	for range 20 - 4 {
		if _, rest, _ = bytes.Cut(rest, []byte(" ")); len(rest) == 0 {
			return 0, 0, fmt.Errorf("/proc/PID/stat: %w: %.80q", cgroup.ErrFormat, stat)
		}
	}
	field, _, _ := bytes.Cut(rest, []byte(" "))
	threads, err = strconv.Atoi(string(bytes.TrimRight(field, "\n")))
	if err != nil {
		return 0, 0, fmt.Errorf("/proc/PID/stat: %w: %.80q", cgroup.ErrFormat, stat)
	}
	return stat[end+2], threads, nil
}
