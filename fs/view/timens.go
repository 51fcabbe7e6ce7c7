package view

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"syscall"
	"time"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/cgroup/container"
	"linuxcontainers.org/lxcfs/cgroup/procpid"
)

// ownClock is the offset of the daemon's time namespace, read once: a process
// that does not ask for another one keeps it.
type ownClock struct {
	once   sync.Once
	known  bool // false: the kernel has no time namespaces
	offset time.Duration
}

// timeNamespace finds out by how much the boot clock of the reader's time
// namespace differs from ours, time_namespaces(7). Without a reader it is that
// of the container's init. The kernel shifts for each reader what depends on
// that clock: btime, uptime, and start times in /proc/PID/stat.
//
// Everybody may read timens_offsets, since Linux 5.6 (CONFIG_TIME_NS). It has the
// namespace of children to come, which is another one only between an unshare(2)
// and the next execve(2). A reader that is gone has no clock, and reads nothing.
func (g *Gatherer) timeNamespace(dst *View, c *container.Container, _ Options) error {
	g.own.once.Do(func() {
		var err error
		g.own.offset, err = g.clockOffset(dst, "/proc/self")
		g.own.known = err == nil
	})
	who := dst.Reader
	if who == 0 {
		who = c.InitPID
	}
	if !g.own.known || who == 0 {
		return nil
	}
	offset, err := g.clockOffset(dst, procpid.Dir(who))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	dst.ClockOffset = offset - g.own.offset
	return nil
}

// clockOffset reads the offset of a process. v lends storage.
func (g *Gatherer) clockOffset(v *View, dir string) (offset time.Duration, err error) {
	name := dir + "/timens_offsets"
	if v.stat, err = g.host.FS.Append(v.stat[:0], name); err != nil {
		return 0, err
	}
	offset, err = parseClockOffset(v.stat)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return offset, nil
}

// maxOffset is more than the kernel allows, KTIME_SEC_MAX/2 seconds, and half of
// what a Duration holds.
const maxOffset = 4_611_686_018

// parseClockOffset parses /proc/PID/timens_offsets, of which it returns that of
// CLOCK_BOOTTIME: seconds, and nanoseconds to be added.
//
//	monotonic           0         0
//	boottime       864000         0
//
// A task without namespaces, a zombie, has an empty file: no offset.
func parseClockOffset(text []byte) (time.Duration, error) {
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("boottime ")) {
			continue
		}
		fields := bytes.Fields(line)
		if len(fields) != 3 {
			return 0, fmt.Errorf("%w: %.80q", cgroup.ErrFormat, line)
		}
		sec, err := strconv.ParseInt(string(fields[1]), 10, 64)
		nsec, err2 := strconv.ParseUint(string(fields[2]), 10, 64)
		if err != nil || err2 != nil || sec < -maxOffset || sec > maxOffset || nsec >= 1e9 {
			return 0, fmt.Errorf("%w: %.80q", cgroup.ErrFormat, line)
		}
		return time.Duration(sec)*time.Second + time.Duration(nsec), nil
	}
	if len(text) > 0 {
		return 0, fmt.Errorf("%w: no boottime: %.80q", cgroup.ErrFormat, text)
	}
	return 0, nil
}
