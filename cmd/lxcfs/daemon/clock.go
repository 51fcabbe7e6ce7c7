package daemon

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// bootClock is the time since boot, suspend included (CLOCK_BOOTTIME): what
// /proc/uptime and process start times count.
func bootClock() time.Duration { return boot.now() }

var boot = sleepless{fast: wallAndRunning, exact: bootTime}

// sleepless tells CLOCK_BOOTTIME without a system call for each time. The time
// that the machine ran, CLOCK_MONOTONIC, costs none but leaves out suspend. Linux
// adds what it leaves out to the wall clock too, and to nothing else
// (__timekeeping_inject_sleeptime of kernel/time/timekeeping.c): as long as the
// wall clock has not gone ahead of the running time, or was set, the two boot
// clocks keep their distance. Otherwise the kernel is asked.
type sleepless struct {
	fast  func() (wall, running time.Duration)
	exact func() time.Duration
	last  atomic.Pointer[anchor]
}

// anchor is one moment on three clocks.
type anchor struct{ wall, running, boot time.Duration }

// apart is how far the wall clock and the running time may seem to have gone
// apart because they are read one after the other.
const apart = time.Millisecond

func (c *sleepless) now() time.Duration {
	wall, running := c.fast()
	a := c.last.Load()
	if a == nil || (wall-a.wall-(running-a.running)).Abs() > apart {
		a = c.ask()
		c.last.Store(a)
		return a.boot
	}
	return a.boot + running - a.running
}

// ask returns the present. A thread may lose its processor between two clocks;
// then it looks again.
func (c *sleepless) ask() *anchor {
	var a anchor
	for range 10 {
		before := c.exact()
		a.wall, a.running = c.fast()
		a.boot = c.exact()
		if a.boot-before < apart/10 {
			break
		}
	}
	return &a
}

func bootTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// wallAndRunning returns CLOCK_REALTIME, since the epoch, and CLOCK_MONOTONIC,
// since the start of the process.
func wallAndRunning() (wall, running time.Duration) {
	now := time.Now()
	return time.Duration(now.UnixNano()), now.Sub(processStart)
}

var processStart = time.Now()
