package view

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/container"
)

// Load averages as the kernel computes them, include/linux/sched/loadavg.h:
// fixed point with 11 bits, every 5 s.
const (
	fixedOne     = 1 << 11
	loadInterval = 5 * time.Second
	// loadKept is for how long a container is watched after it was last read.
	loadKept = 10 * time.Minute
	// maxTasks bounds the processes that are counted of one container.
	maxTasks = 16384
)

// decay are the kernel's EXP_1, EXP_5 and EXP_15.
func decay() [3]uint64 { return [3]uint64{1884, 2014, 2037} }

// Loads watches the containers that somebody has read of late. Safe for
// concurrent use; Run is called once.
type Loads struct {
	host  *cgroup.Host
	clock Clock

	mu      sync.Mutex // guards watched and every load's values
	watched map[container.Key]*load
}

// load is one container's.
type load struct {
	container *container.Container
	read      time.Duration // when somebody last did
	average   [3]uint64
	census
}

// census is a count of a container's threads.
type census struct {
	running, blocked, threads int
	lastPID                   uint32
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
	l.mu.Lock()
	list := make([]*load, 0, len(l.watched))
	for key, w := range l.watched {
		if l.clock()-w.read > loadKept {
			delete(l.watched, key)
			continue
		}
		list = append(list, w)
	}
	l.mu.Unlock()
	for _, w := range list {
		c, err := l.count(w.container)
		l.mu.Lock()
		if err != nil {
			delete(l.watched, w.container.Key)
		} else {
			w.step(c)
		}
		l.mu.Unlock()
	}
}

// step brings in a census.
func (w *load) step(c census) {
	c.lastPID = max(c.lastPID, w.lastPID)
	w.census = c
	for i, exp := range decay() {
		w.average[i] = nextAverage(w.average[i], exp, uint64(c.running+c.blocked)*fixedOne)
	}
}

// nextAverage is calc_load of kernel/sched/loadavg.c, rounding up while rising.
func nextAverage(load, exp, active uint64) uint64 {
	next := load*exp + active*(fixedOne-exp)
	if active >= load {
		next += fixedOne - 1
	}
	return next / fixedOne
}

// read returns a container's load, and begins to watch it: the first averages
// are the present number of active threads.
func (l *Loads) read(c *container.Container) (load, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.watched[c.Key]
	if w == nil {
		now, err := l.count(c)
		if err != nil {
			return load{}, err
		}
		w = &load{container: c, census: now}
		for i := range w.average {
			w.average[i] = uint64(now.running+now.blocked) * fixedOne
		}
		l.watched[c.Key] = w
	}
	w.read = l.clock()
	return *w, nil
}

// count counts the threads of a container's whole cgroup subtree. Processes
// that end meanwhile do not count.
func (l *Loads) count(c *container.Container) (census, error) {
	var now census
	var newest uint32
	var buf []byte
	err := l.host.WalkProcs(c.Membership, maxTasks, func(pid uint32) bool {
		stat, err := l.host.FS.Append(buf[:0], fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return true
		}
		buf = stat
		state, threads, err := parseTask(stat)
		if err != nil {
			return true
		}
		newest = max(newest, pid)
		if threads > 1 {
			l.countThreads(&now, pid)
			return true
		}
		now.add(state)
		return true
	})
	if err != nil {
		return census{}, err
	}
	now.lastPID = l.innerPID(newest)
	return now, nil
}

func (n *census) add(state byte) {
	n.threads++
	switch state {
	case 'R':
		n.running++
	case 'D':
		n.blocked++
	}
}

// countThreads counts the threads of one process.
func (l *Loads) countThreads(now *census, pid uint32) {
	dir := fmt.Sprintf("/proc/%d/task", pid)
	tids, err := l.host.FS.ReadDir(dir)
	if err != nil {
		return
	}
	for _, tid := range tids {
		stat, err := l.host.FS.Append(nil, dir+"/"+tid+"/stat")
		if err != nil {
			continue
		}
		if state, _, err := parseTask(stat); err == nil {
			now.add(state)
		}
	}
}

// innerPID returns a process's pid in its own namespace, 0 when it is gone.
//
//	NStgid:	4711	12
func (l *Loads) innerPID(pid uint32) uint32 {
	status, err := l.host.FS.Append(nil, fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, ok := bytes.Cut(status, []byte("\nNStgid:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	fields := bytes.Fields(line)
	if !ok || len(fields) == 0 {
		return pid
	}
	inner, err := strconv.ParseUint(string(fields[len(fields)-1]), 10, 32)
	if err != nil {
		return pid
	}
	return uint32(inner)
}

// parseTask parses state (field 3) and num_threads (field 20) of /proc/PID/stat,
// proc_pid_stat(5). The name in parentheses may hold anything, ") R (" included.
//
//	4711 (sh) S 1 4711 4711 0 -1 4194560 151 0 0 0 0 0 0 0 20 0 1 0 8127 ...
func parseTask(stat []byte) (state byte, threads int, err error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, 0, fmt.Errorf("/proc/PID/stat: %w: %.80q", cgroup.ErrFormat, stat)
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) < 18 || len(fields[0]) != 1 {
		return 0, 0, fmt.Errorf("/proc/PID/stat: %w: %.80q", cgroup.ErrFormat, stat)
	}
	threads, err = strconv.Atoi(string(fields[17]))
	if err != nil {
		return 0, 0, fmt.Errorf("/proc/PID/stat: %w: %.80q", cgroup.ErrFormat, stat)
	}
	return fields[0][0], threads, nil
}
