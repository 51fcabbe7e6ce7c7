//go:build integration

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Steps of a client for attacks on the cgroup tree, and for their victims.

// herd starts that many processes of the client's.
func herd(count string) error {
	return exec.Command("sh", "-c", `i=0; while [ $i -lt "$1" ]; do sleep 1000 & i=$((i + 1)); done`, "sh", count).Run()
}

// flood reads files or lists directories in so many threads until stop.
type flood struct {
	end                      chan struct{}
	threads                  sync.WaitGroup
	done, busy, wrong, least atomic.Int64
}

var flooding flood // the client's

// start begins: each thread reads one of the files, of which each is to have so many lines.
func (f *flood) start(files []string, threads, lines int) {
	f.end = make(chan struct{})
	f.least.Store(int64(lines))
	for i := range threads {
		f.threads.Go(func() {
			for {
				select {
				case <-f.end:
					return
				default:
					f.once(files[i%len(files)], lines)
				}
			}
		})
	}
}

func (f *flood) once(file string, lines int) {
	text, err := os.ReadFile(file)
	switch n := bytes.Count(text, []byte("\n")); {
	case errors.Is(err, syscall.EAGAIN):
		f.busy.Add(1)
	case err != nil || n != lines:
		f.wrong.Add(1)
		f.least.Store(min(f.least.Load(), int64(n)))
	default:
		f.done.Add(1)
	}
}

func (f *flood) stop() string {
	close(f.end)
	f.threads.Wait()
	return fmt.Sprintf("done=%d busy=%d wrong=%d least=%d", f.done.Load(), f.busy.Load(), f.wrong.Load(), f.least.Load())
}

// sample reads a file so many times, at an interval in ms, and says how long that took, in microseconds.
func sample(file string, count, interval int) (string, error) {
	var took []time.Duration
	for range count {
		time.Sleep(time.Duration(interval) * time.Millisecond)
		began := time.Now()
		if _, err := os.ReadFile(file); err != nil {
			return "", err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	at := func(percent int) int64 { return took[(len(took)-1)*percent/100].Microseconds() }
	return fmt.Sprintf("p50=%d p99=%d max=%d", at(50), at(99), at(100)), nil
}

// hostileStep is step for these.
func hostileStep(words []string) (text string, err error) {
	number := func(i int) int {
		n, _ := strconv.Atoi(words[i])
		return n
	}
	switch words[0] {
	case "herd":
		err = herd(words[1])
	case "flood":
		flooding.start(strings.Split(words[1], ","), number(2), number(3))
	case "stop":
		text = flooding.stop()
	case "sample":
		text, err = sample(words[1], number(2), number(3))
	case "visit":
		var wrong int
		wrong, err = visit(words[1], words[2], number(3))
		text = fmt.Sprintf("wrong=%d", wrong)
	case "count":
		var found, failed int
		found, failed, err = count(words[1], strings.Join(words[2:], ""))
		text = fmt.Sprintf("found=%d failed=%d", found, failed)
	}
	return text, err
}

// One container reads the list of its 3000 processes in 64 threads. Another one, who reads its own files meanwhile, is shown them. The lists are whole, or their reader is told that too much is
// under way.
func TestCgroupTreeFlood(t *testing.T) {
	const sleepers, threads, samples, interval = 3000, 64, 40, 50
	d := start(t, "--enable-cgroup")
	attacker, victim := newJail(t, d, "start", jailName()), newJail(t, d, "start", jailName())
	measure := func(when string) {
		for _, file := range []string{"../proc/meminfo", "memory/C/cgroup.procs"} {
			text := victim.do(fmt.Sprintf("sample %s %d %d", file, samples, interval))
			t.Logf("%s: victim's %s: %s", when, file, text)
			if !strings.HasPrefix(text, "p50=") {
				t.Errorf("%s: victim's %s: %s", when, file, text)
			}
		}
	}
	attacker.steps([][2]string{{fmt.Sprintf("herd %d", sleepers), "ok"}})
	measure("quiet")
	attacker.steps([][2]string{{fmt.Sprintf("flood memory/C/cgroup.procs %d %d", threads, sleepers+1), "ok"}})
	measure("flood")
	text := attacker.do("stop")
	t.Logf("attacker: %s", text)
	var done, busy, wrong int
	fmt.Sscanf(text, "done=%d busy=%d wrong=%d", &done, &busy, &wrong)
	if done == 0 || wrong > 0 {
		t.Errorf("attacker: %s, want some reads done and none wrong", text)
	}
}
