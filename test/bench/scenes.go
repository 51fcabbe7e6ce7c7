package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// measured are the files that every server has.
func measured() []string {
	return []string{
		"/proc/meminfo", "/proc/stat", "/proc/cpuinfo", "/proc/uptime", "/proc/loadavg",
		"/proc/swaps", "/proc/diskstats", "/sys/devices/system/cpu/online",
	}
}

// with runs f with servers of these names started, those that are to be had.
func (b *bench) with(names []string, pinned bool, f func([]*server) error) (err error) {
	var all []*server
	defer func() {
		for _, s := range all {
			err = errors.Join(err, s.stop())
		}
	}()
	for _, name := range names {
		s, err := b.start(name, pinned)
		if err != nil {
			return err
		}
		if s != nil {
			all = append(all, s)
		}
	}
	return f(all)
}

// inBox runs f with one container.
func (b *bench) inBox(depth int, f func(*box) error) error {
	x, err := b.newBox(depth)
	if err != nil {
		return err
	}
	return errors.Join(f(x), x.close())
}

// files measures one reader, pinned to one CPU with the server.
func (b *bench) files() error {
	return b.with([]string{ours, earlier, upstream, native, floorC, floorGo}, true, func(servers []*server) error {
		return b.inBox(1, func(x *box) error {
			for _, file := range measured() {
				for _, mode := range []string{"pread", "once", "cat", "thread"} {
					if err := b.file(x, servers, file, mode); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
}

func (b *bench) file(x *box, servers []*server, file, mode string) error {
	all, err := alternate(servers, b.rounds, func(s *server) (sample, error) {
		return b.read(x, s, file, mode, 1, lastCPU())
	})
	if err != nil {
		return err
	}
	what := path.Base(file) + " " + mode
	for _, s := range servers {
		of := all[s.name]
		b.results.add("files", what, s.name, "p50 us", median(of, func(s sample) float64 { return s.p50 }))
		b.results.add("files", what, s.name, "p99 us", median(of, func(s sample) float64 { return s.p99 }))
		b.results.add("files", what, s.name, "p99.9 us", median(of, func(s sample) float64 { return s.p999 }))
		b.results.add("files", what, s.name, "CPU us", median(of, cpuPerRead))
	}
	return nil
}

func cpuPerRead(s sample) float64 { return s.cpu.Seconds() * 1e6 / s.count }

func perSecond(s sample) float64 { return s.count / s.wall.Seconds() }

// readers measures many readers of one file at once, on all CPUs.
func (b *bench) readers() error {
	return b.with([]string{ours, earlier, upstream, native, floorC, floorGo}, false, func(servers []*server) error {
		return b.inBox(1, func(x *box) error {
			for _, readers := range []int{1, 2, 8, 32} {
				all, err := alternate(servers, b.rounds, func(s *server) (sample, error) {
					return b.read(x, s, "/proc/meminfo", "cat", readers, -1)
				})
				if err != nil {
					return err
				}
				what := fmt.Sprintf("meminfo cat, %d readers", readers)
				for _, s := range servers {
					of := all[s.name]
					b.results.add("readers", what, s.name, "/s", median(of, perSecond))
					b.results.add("readers", what, s.name, "p50 us", median(of, func(s sample) float64 { return s.p50 }))
					b.results.add("readers", what, s.name, "p99.9 us", median(of, func(s sample) float64 { return s.p999 }))
				}
			}
			return nil
		})
	})
}

// syscalls counts the server's system calls for one read.
func (b *bench) syscalls() error {
	return b.with([]string{ours, earlier, upstream, floorC, floorGo}, true, func(servers []*server) error {
		for _, depth := range []int{1, 5, 10} {
			if err := b.inBox(depth, func(x *box) error { return b.callsAt(x, servers, depth) }); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) callsAt(x *box, servers []*server, depth int) error {
	for _, file := range measured() {
		for _, mode := range []string{"pread", "thread"} {
			for _, s := range servers {
				all, err := countCalls(s.pid(), "")
				if err != nil {
					return err
				}
				awake, err := countCalls(s.pid(), noSleep)
				if err != nil {
					all.close()
					return err
				}
				one, err := b.read(x, s, file, mode, 1, lastCPU())
				calls, err2 := all.sum()
				others, err3 := awake.sum()
				all.close()
				awake.close()
				if err := errors.Join(err, err2, err3); err != nil {
					return err
				}
				what := fmt.Sprintf("%s %s, depth %d", path.Base(file), mode, depth)
				b.results.add("syscalls", what, s.name, "calls but nanosleep", others/one.count)
				b.results.add("syscalls", what, s.name, "calls", calls/one.count)
			}
		}
	}
	return nil
}

// restart measures ours before and after a death of its worker.
func (b *bench) restart() error {
	return b.with([]string{ours}, true, func(servers []*server) error {
		s := servers[0]
		return b.inBox(1, func(x *box) error {
			for _, when := range []string{"before", "after"} {
				for _, mode := range []string{"pread", "cat"} {
					all, err := alternate(servers, b.rounds, func(s *server) (sample, error) {
						return b.read(x, s, "/proc/meminfo", mode, 1, lastCPU())
					})
					if err != nil {
						return err
					}
					what := "meminfo " + mode + ", " + when + " a SIGKILL"
					b.results.add("restart", what, s.name, "p50 us", median(all[s.name], func(s sample) float64 { return s.p50 }))
					b.results.add("restart", what, s.name, "CPU us", median(all[s.name], cpuPerRead))
				}
				if when == "before" {
					if err := killWorker(s); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
}

func killWorker(s *server) error {
	old := s.pid()
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		return err
	}
	for range 500 {
		if now := s.pid(); now != 0 && now != old {
			return s.await()
		}
		pause()
	}
	return errors.New("no new worker")
}

// sweeps measures what a container costs that reads five files.
func (b *bench) sweeps() error {
	type size struct{ containers, depth int }
	for _, z := range []size{{1, 1}, {100, 1}, {100, 5}, {100, 10}, {b.containers, 1}} {
		boxes, err := b.boxes(z.containers, z.depth)
		if err != nil {
			return err
		}
		what := fmt.Sprintf("%d containers, depth %d", z.containers, z.depth)
		err = b.with([]string{ours, earlier, upstream, floorC}, false, func(servers []*server) error {
			return b.sweep(boxes, servers, what)
		})
		if err = errors.Join(err, closeAll(boxes)); err != nil {
			return err
		}
	}
	return nil
}

// sweep measures the first sweep of each container, warm ones, and ones of a new
// process each; in each round of each server in turn.
func (b *bench) sweep(boxes []*box, servers []*server, what string) error {
	kinds := []string{"first", "warm", "new process"}
	samples := make(map[string][]sample)
	for range b.rounds {
		for _, s := range servers {
			if err := everyone(boxes, "stay %s 1", s.root); err != nil {
				return err
			}
			for i, command := range []string{"sweep", "sweep", "cold " + s.root} {
				before := s.cpu()
				if err := everyone(boxes, "%s", command); err != nil {
					return err
				}
				key := kinds[i] + s.name
				samples[key] = append(samples[key], sample{count: float64(len(boxes)), cpu: s.cpu() - before})
			}
		}
	}
	for _, s := range servers {
		b.results.add("sweeps", what+", first", s.name, "CPU us", cpuPerRead(samples["first"+s.name][0]))
		for _, kind := range kinds[1:] {
			b.results.add("sweeps", what+", "+kind, s.name, "CPU us", median(samples[kind+s.name], cpuPerRead))
		}
		b.results.add("sweeps", what, s.name, "RSS MiB", s.status("VmRSS")/1024)
		b.results.add("sweeps", what, s.name, "threads", s.status("Threads"))
	}
	return nil
}

// everyone has each container obey a command.
func everyone(boxes []*box, format string, args ...any) error {
	for _, x := range boxes {
		if err := x.expect(format, args...); err != nil {
			return err
		}
	}
	return nil
}

// loads measures the refresh of load averages, every five seconds: before
// anybody read one, and after each container did once.
func (b *bench) loads() error {
	const containers, processes, refreshes = 100, 20, 4
	boxes, err := b.boxes(containers, 1)
	if err != nil {
		return err
	}
	defer closeAll(boxes)
	if err := everyone(boxes, "spawn %d", processes); err != nil {
		return err
	}
	what := fmt.Sprintf("refresh of %d containers of %d processes", containers, processes)
	least, err := kernelRefresh(boxes)
	if err != nil {
		return err
	}
	b.results.add("loads", what+", after a read", native, "CPU ms", least.Seconds()*1e3)
	for _, name := range []string{ours, earlier, upstream} {
		err := b.with([]string{name}, false, func(servers []*server) error {
			for _, s := range servers {
				for _, when := range []string{"nobody reads", "after a read"} {
					before := s.cpu()
					time.Sleep(refreshes * 5 * time.Second)
					b.results.add("loads", what+", "+when, s.name, "CPU ms", (s.cpu()-before).Seconds()*1e3/refreshes)
					if err := everyone(boxes, "cold %s", s.root); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// kernelRefresh returns the CPU time of no more than what a refresh has to ask
// the kernel: the processes of each container and the state of each.
func kernelRefresh(boxes []*box) (time.Duration, error) {
	var before, after syscall.Rusage
	buf := make([]byte, 64<<10)
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		return 0, err
	}
	for _, x := range boxes {
		procs, err := os.ReadFile(filepath.Join(x.dirs[0], "cgroup.procs"))
		if err != nil {
			return 0, err
		}
		for _, pid := range strings.Fields(string(procs)) {
			fd, err := syscall.Open("/proc/"+pid+"/stat", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			if err != nil {
				return 0, err
			}
			_, err = syscall.Read(fd, buf)
			if err := errors.Join(err, syscall.Close(fd)); err != nil {
				return 0, err
			}
		}
	}
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		return 0, err
	}
	spent := func(r syscall.Rusage) time.Duration { return time.Duration(r.Utime.Nano() + r.Stime.Nano()) }
	return spent(after) - spent(before), nil
}

// hertz measures many containers that each sweep once a second.
func (b *bench) hertz() error {
	boxes, err := b.boxes(b.containers, 1)
	if err != nil {
		return err
	}
	defer closeAll(boxes)
	for _, name := range []string{ours, earlier, upstream, floorC} {
		err := b.with([]string{name}, false, func(servers []*server) error {
			for _, s := range servers {
				if err := b.everySecond(boxes, s); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) everySecond(boxes []*box, s *server) error {
	if err := everyone(boxes, "stay %s 1", s.root); err != nil {
		return err
	}
	const seconds = 10
	var before time.Duration
	var begin time.Time
	for second := range seconds + 1 {
		if second == 1 { // the first is the warm-up
			before, begin = s.cpu(), time.Now()
		}
		next := time.Now().Add(time.Second)
		if err := everyone(boxes, "sweep"); err != nil {
			return err
		}
		time.Sleep(time.Until(next))
	}
	wall := time.Since(begin)
	what := fmt.Sprintf("%d containers at %.2f Hz", len(boxes), seconds/wall.Seconds())
	b.results.add("hertz", what, s.name, "CPU %", 100*(s.cpu()-before).Seconds()/wall.Seconds())
	b.results.add("hertz", what, s.name, "RSS MiB", s.status("VmRSS")/1024)
	return nil
}
