package fdstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// status makes the wait status of an exit, or with 128 and up of a signal.
func status(code int) syscall.WaitStatus {
	if code >= 128 {
		return syscall.WaitStatus(code - 128)
	}
	return syscall.WaitStatus(code << 8)
}

// fake is a process that lives in a synctest bubble.
type fake struct {
	pid     int
	got     []os.Signal
	ended   chan syscall.WaitStatus
	handler func(os.Signal) // what it does at a signal
}

func (f *fake) PID() int                 { return f.pid }
func (f *fake) Wait() syscall.WaitStatus { return <-f.ended }
func (f *fake) Signal(sig os.Signal) error {
	f.got = append(f.got, sig)
	if f.handler != nil {
		f.handler(sig)
	}
	return nil
}

func (f *fake) end(code int) {
	select {
	case f.ended <- status(code):
	default:
	}
}

// stage is a supervisor with fake processes.
type stage struct {
	supervisor
	life      func(f *fake) // what each process does, in a goroutine
	processes []*fake
	starts    []time.Duration // since the beginning
	events    []Event
	signals   chan os.Signal
}

func newStage(life func(f *fake)) *stage {
	s := &stage{life: life, signals: make(chan os.Signal, 8)}
	begin := time.Now()
	s.supervisor = supervisor{
		inbox:       newInbox(),
		stored:      func() int { return 0 },
		drain:       func() {},
		report:      func(e Event) { s.events = append(s.events, e) },
		stop:        []os.Signal{syscall.SIGTERM, syscall.SIGINT},
		stopTimeout: 10 * time.Second,
		start: func() (process, error) {
			f := &fake{pid: len(s.processes) + 1, ended: make(chan syscall.WaitStatus, 1)}
			s.processes = append(s.processes, f)
			s.starts = append(s.starts, time.Since(begin))
			go s.life(f)
			return f, nil
		},
	}
	return s
}

// say is a worker's message.
func (s *stage) say(kinds ...Kind) {
	for _, kind := range kinds {
		s.inbox.put(kind)
	}
	synctest.Wait()
}

func (s *stage) count(kind Kind) int {
	n := 0
	for _, e := range s.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func TestYoungDeathsAreDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *stage
		s = newStage(func(f *fake) {
			s.say(Ready)
			switch {
			case f.pid == 20: // lives long enough: all is forgiven
				time.Sleep(youngAge)
			case f.pid == 26:
				f.end(0)
			}
			f.end(2)
		})
		if err := s.run(t.Context(), s.signals); err != nil {
			t.Fatal(err)
		}
		var gaps []time.Duration
		for i, e := range s.events {
			if e.Kind == Delayed {
				gaps = append(gaps, e.Delay)
				if next := s.events[i+1]; next.Kind != Started {
					t.Errorf("after a delay: got %v", next.Kind)
				}
			}
		}
		const ms = time.Millisecond
		want := []time.Duration{10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, 1280 * ms, 2560 * ms,
			5000 * ms, 5000 * ms, 5000 * ms, 5000 * ms, 5000 * ms, 5000 * ms, 10 * ms}
		if !slices.Equal(gaps, want) {
			t.Errorf("got %v, want %v", gaps, want)
		}
		if s.starts[4] != 0 || s.starts[5] != 10*ms || s.starts[6] != 30*ms {
			t.Errorf("starts: got %v", s.starts[:7])
		}
	})
}

func TestBackoffStaysBelowItsMaximum(t *testing.T) {
	var b backoff
	for range 1000 {
		if d := b.next(true); d < 0 || d > maxDelay {
			t.Fatalf("got %v", d)
		}
	}
}

func TestDiedYoung(t *testing.T) {
	for _, row := range []struct {
		lived time.Duration
		code  int
		want  bool
	}{
		{0, 1, true},
		{youngAge - 1, 2, true},
		{youngAge, 2, false},
		{0, 128 + 9, false}, // killed from outside
		{0, 128 + 11, true},
		{time.Hour, 1, false},
	} {
		if got := diedYoung(row.lived, status(row.code)); got != row.want {
			t.Errorf("%+v: got %v", row, got)
		}
	}
}

func TestKilledAgainAndAgainIsStartedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *stage
		s = newStage(func(f *fake) {
			s.say(Ready)
			if f.pid == 100 {
				f.end(0)
			}
			f.end(128 + 9)
		})
		begin := time.Now()
		if err := s.run(t.Context(), s.signals); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 0 || s.count(Delayed) != 0 {
			t.Errorf("took %v with %d delays, want none", took, s.count(Delayed))
		}
	})
}

func TestEndOfTheKeeper(t *testing.T) {
	for _, row := range []struct {
		name   string
		ready  bool
		stored int
		codes  []int // of one worker after the other
		want   string
	}{
		{"unmounted", true, 2, []int{0}, "<nil>"},
		{"unmounted after a crash", true, 2, []int{1, 0}, "<nil>"},
		{"wrong option", false, 0, []int{2}, "worker 1: exit status 2"},
		{"killed before ready", false, 0, []int{128 + 11, 3}, "worker 2: exit status 3"},
		{"fails with something stored", false, 1, []int{1, 1, 0}, "<nil>"},
		{"killed before ready, again and again", false, 0, []int{139, 139, 139, 139, 139, 139, 139, 139, 139, 139}, "worker 10: killed by segmentation fault"},
		{"hopeless", false, 1, []int{1, 69}, "worker 2: exit status 69"},
		{"hopeless after one was ready", true, 1, []int{1, 69}, "worker 2: exit status 69"},
		{"fails after one was ready", true, 0, []int{1, 1, 0}, "<nil>"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s *stage
				s = newStage(func(f *fake) {
					if row.ready {
						s.say(Ready)
					}
					f.end(row.codes[f.pid-1])
				})
				s.stored, s.final = func() int { return row.stored }, []int{69}
				if got := fmt.Sprint(s.run(t.Context(), s.signals)); got != row.want {
					t.Errorf("got %s, want %s", got, row.want)
				}
				if len(s.processes) != len(row.codes) {
					t.Errorf("workers: got %d, want %d", len(s.processes), len(row.codes))
				}
			})
		})
	}
}

func TestStopSignal(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer int // exit at SIGTERM, -1: deaf
		want   string
		took   time.Duration
		got    []os.Signal
	}{
		{"obeys", 0, "<nil>", 0, []os.Signal{syscall.SIGTERM, syscall.SIGCONT}},
		{"fails", 4, "worker 1: exit status 4", 0, []os.Signal{syscall.SIGTERM, syscall.SIGCONT}},
		{"deaf", -1, "worker 1: killed by killed", 10 * time.Second, []os.Signal{syscall.SIGTERM, syscall.SIGCONT, syscall.SIGKILL}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s *stage
				s = newStage(func(f *fake) {
					f.handler = func(sig os.Signal) {
						if sig == syscall.SIGKILL {
							f.end(128 + 9)
						} else if row.answer >= 0 {
							f.end(row.answer)
						}
					}
					s.say(Ready)
					s.signals <- syscall.SIGINT
					s.signals <- syscall.SIGTERM // the second changes nothing
				})
				begin := time.Now()
				if got := fmt.Sprint(s.run(t.Context(), s.signals)); got != row.want {
					t.Errorf("got %s, want %s", got, row.want)
				}
				if took := time.Since(begin); took != row.took {
					t.Errorf("took %v, want %v", took, row.took)
				}
				if got := s.processes[0].got; !slices.Equal(got, row.got) {
					t.Errorf("signals: got %v, want %v", got, row.got)
				}
			})
		})
	}
}

func TestStopByContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var s *stage
		s = newStage(func(f *fake) {
			f.handler = func(os.Signal) { f.end(0) }
			s.say(Ready)
			cancel()
		})
		if err := s.run(ctx, s.signals); err != nil {
			t.Errorf("got %v, want nil", err)
		}
	})
}

func TestStopDuringADelay(t *testing.T) {
	for _, byContext := range []bool{false, true} {
		t.Run("context "+strconv.FormatBool(byContext), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s := newStage(func(f *fake) { f.end(128 + 11) })
				s.stored = func() int { return 1 }
				report := s.report
				s.report = func(e Event) {
					report(e)
					if e.Kind == Delayed && e.Delay == maxDelay {
						if byContext {
							cancel()
						} else {
							s.signals <- syscall.SIGTERM
						}
					}
				}
				if err := s.run(ctx, s.signals); !errors.Is(err, ErrNoWorker) {
					t.Errorf("got %v, want %v", err, ErrNoWorker)
				}
			})
		})
	}
}

func TestSignalsWaitForReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *stage
		s = newStage(func(f *fake) {
			synctest.Wait()
			switch f.pid {
			case 1:
				s.signals <- syscall.SIGUSR2
				synctest.Wait()
				if len(f.got) != 0 {
					t.Errorf("before READY=1: got %v", f.got)
				}
				f.end(128 + 11)
			case 2:
				s.say(Ready)
				s.signals <- syscall.SIGHUP
				synctest.Wait()
				f.end(0)
			}
		})
		if err := s.run(t.Context(), s.signals); err != nil {
			t.Fatal(err)
		}
		want := []os.Signal{syscall.SIGUSR2, syscall.SIGHUP}
		if got := s.processes[1].got; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestPendingSignalsAreBounded(t *testing.T) {
	s := new(supervisor)
	for range 1000 {
		s.keep(syscall.SIGUSR2)
	}
	if len(s.pending) != maxPending {
		t.Errorf("got %d, want %d", len(s.pending), maxPending)
	}
}

func TestWatchdogOfTheKeeper(t *testing.T) {
	for _, row := range []struct {
		name string
		life func(s *stage)
		want []os.Signal
		took time.Duration
	}{
		{"never fed", func(s *stage) { s.say(Ready) }, []os.Signal{syscall.SIGABRT, syscall.SIGCONT}, 30 * time.Second},
		{"fed once", func(s *stage) {
			s.say(Ready)
			time.Sleep(20 * time.Second)
			s.say(Alive)
		}, []os.Signal{syscall.SIGABRT, syscall.SIGCONT}, 50 * time.Second},
		{"asks for it", func(s *stage) { s.say(Ready); s.say(Trigger) }, []os.Signal{syscall.SIGABRT, syscall.SIGCONT}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s *stage
				begin := time.Now()
				s = newStage(func(f *fake) {
					f.handler = func(sig os.Signal) {
						if took := time.Since(begin); took != row.took {
							t.Errorf("took %v, want %v", took, row.took)
						}
						f.end(128 + 6)
					}
					if f.pid == 2 {
						f.end(0)
						return
					}
					row.life(s)
				})
				s.watchdog = 30 * time.Second
				if err := s.run(t.Context(), s.signals); err != nil {
					t.Fatal(err)
				}
				if got := s.processes[0].got; !slices.Equal(got, row.want) || s.count(Starved) != 1 {
					t.Errorf("got %v and %d reports", got, s.count(Starved))
				}
			})
		})
	}
}

// A message that was sent in time and is read too late is none too late: a machine
// without memory stands still for longer than a watchdog's time.
func TestWatchdogOfAKeeperThatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *stage
		sent := 3
		s = newStage(func(f *fake) {
			s.say(Ready)
			time.Sleep(100 * time.Second)
			f.end(0)
		})
		s.drain = func() {
			if sent--; sent >= 0 {
				s.inbox.put(Alive)
			}
		}
		s.watchdog = 30 * time.Second
		if err := s.run(t.Context(), s.signals); err != nil || s.count(Starved) != 0 {
			t.Errorf("got %v, %d times starved", err, s.count(Starved))
		}
	})
}

func TestWatchdogKillsWhoIgnoresIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *stage
		s = newStage(func(f *fake) {
			f.handler = func(sig os.Signal) {
				if sig == syscall.SIGKILL {
					f.end(128 + 9)
				}
			}
			s.say(Ready)
			if f.pid == 2 {
				f.end(0)
			}
		})
		s.watchdog = time.Second
		if err := s.run(t.Context(), s.signals); err != nil {
			t.Fatal(err)
		}
		want := []os.Signal{syscall.SIGABRT, syscall.SIGCONT, syscall.SIGKILL}
		if got := s.processes[0].got; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestStartThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("no such binary")
		s := newStage(func(f *fake) { f.end(0) })
		start := s.start
		s.start = func() (process, error) { return nil, gone }
		if err := s.run(t.Context(), s.signals); !errors.Is(err, gone) {
			t.Errorf("the first: got %v, want %v", err, gone)
		}
		failures := 0
		s.start = func() (process, error) {
			if failures++; failures < 20 {
				return nil, gone
			}
			return start()
		}
		if err := s.run(t.Context(), s.signals); err != nil {
			t.Errorf("a later one: got %v, want nil", err)
		}
	})
}
